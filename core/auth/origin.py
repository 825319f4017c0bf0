"""Where a request comes from: this machine, a page of this site, or somebody else's page."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def client_address(address: str | None, headers: Mapping[str, str]) -> str:
    """Return the address that delays and the audit log count: "127.0.0.1" for this machine, "" if a proxy hides it."""
    if is_this_machine(address, headers):
        return "127.0.0.1"
    return "" if address is None or _is_loopback(address) else address


def is_this_machine(address: str | None, headers: Mapping[str, str]) -> bool:
    """Say whether a person sits at this machine, where the one-time setup code is not asked for.

    A proxy on this machine makes everybody look local, so a forwarding header is never local. The host name is
    checked because a foreign page can point its own name at 127.0.0.1 (DNS rebinding).

    Args:
        address: of the client; None means loopback (as Streamlit reports it).
        headers: of the request, any case of the names.
    """
    lower = _lower(headers)
    if any(name in lower for name in FORWARDING_HEADERS):
        return False
    return _is_loopback(address) and host_name(lower.get("host", "")) in LOCAL_HOSTS


def is_same_site(headers: Mapping[str, str], *, browser_only: bool = False) -> bool:
    """Say whether a request was made by a page of this site or by a person directly, not by another site's page.

    Browsers send `Sec-Fetch-Site` on secure origins and `Origin` with every POST; a page of this site sends
    `Referer` too. A request with none of them does not come from a browser's form.

    Args:
        browser_only: refuse where no header tells, for GET requests that change something.
    """
    lower = _lower(headers)
    if fetch_site := lower.get("sec-fetch-site"):
        return fetch_site in ("same-origin", "none")
    source = lower.get("origin") or lower.get("referer")
    if source is None:
        return not browser_only
    return urlsplit(source).netloc in (lower.get("host"), lower.get("x-forwarded-host"))


def host_name(host: str) -> str:
    """Return the name in a Host header without its port ("[::1]:8501" -> "[::1]")."""
    return host[: host.index("]") + 1] if "]" in host else host.split(":")[0].lower()


def _is_loopback(address: str | None) -> bool:
    if address is None:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    # A socket that serves IPv4 and IPv6 shows 127.0.0.1 as ::ffff:127.0.0.1.
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
