"""`/auth/...`: the routes that set and clear the session cookie, which a page's script cannot do."""

from collections.abc import Callable, Mapping
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core import auth
from core.api.bodies import read_fields
from core.api.cookies import clear_session, session_token, set_session
from core.auth.origin import client_address, is_same_site, is_this_machine
from core.auth.tickets import redeem_ticket
from core.db import get_database
from core.errors import (
    AuthenticationError,
    ConflictError,
    InvalidOptionError,
    PermissionDeniedError,
    StorageError,
    TooLargeError,
    TooManyAttemptsError,
)

HOME = "/"


async def sign_in(request: Request) -> Response:
    """POST name, password -> the cookie."""
    if not is_same_site(request.headers):
        return _back("cross-site")
    fields = await _credentials(request)
    if fields is None:
        return _back("form")
    name, password = fields["name"], fields["password"]
    return await _new_session(request, partial(_sign_in, name, password, _address(request)), refused="wrong")


async def set_up(request: Request) -> Response:
    """POST name, password, code -> the first administrator, signed in."""
    if not is_same_site(request.headers):
        return _back("cross-site")
    fields = await _credentials(request)
    if fields is None:
        return _back("form")
    name, password = fields["name"], fields["password"]
    try:
        auth.check_name(name)
    except InvalidOptionError:
        return _back("bad-name")
    local = is_this_machine(_host(request), request.headers)
    work = partial(_set_up, name, password, fields.get("code"), address=_address(request), local=local)
    return await _new_session(request, work, refused="setup-code")


async def guest(request: Request) -> Response:
    """Start a guest's session where the administrator allows guests."""
    if not is_same_site(request.headers, browser_only=request.method == "GET"):
        return _back("cross-site")
    return await _new_session(request, partial(_guest, _address(request)), refused="wrong")


async def accept(request: Request) -> Response:
    """Exchange a one-time ticket for the cookie."""
    if not is_same_site(request.headers):
        return _back("cross-site")
    return await _new_session(request, partial(_accept, request.query_params.get("ticket", "")), refused="ticket")


async def sign_out(request: Request) -> Response:
    """Revoke the session and clear the cookie; a foreign page cannot sign anybody out."""
    if not is_same_site(request.headers, browser_only=request.method == "GET"):
        return _back("cross-site")
    try:
        await run_in_threadpool(_sign_out, session_token(request))
    except StorageError:
        return _back("storage")
    response = RedirectResponse(HOME, status_code=303)
    clear_session(response)
    return response


async def _credentials(request: Request) -> Mapping[str, str] | None:
    """The sent fields, with a name and a password among them; None where these are missing."""
    try:
        fields = await read_fields(request)
    except (InvalidOptionError, TooLargeError):
        return None
    return fields if fields.get("name") and fields.get("password") else None


async def _new_session(request: Request, work: Callable[[], str], *, refused: str) -> Response:
    """Run what returns a session token; answer with its cookie, or with the code of what went wrong.

    Args:
        refused: code for an AuthenticationError.
    """
    try:
        token = await run_in_threadpool(work)
        await run_in_threadpool(_sign_out, session_token(request))  # the browser's former session ends here
    except TooManyAttemptsError as error:
        return _back(f"wait-{error.wait_s}")
    except AuthenticationError:
        return _back(refused)
    except PermissionDeniedError:
        return _back("guest-off")
    except ConflictError:
        return _back("setup-done")
    except InvalidOptionError:
        return _back("weak-password")
    except StorageError:
        return _back("storage")
    response = RedirectResponse(HOME, status_code=303)
    set_session(response, token)
    return response


def _sign_in(name: str, password: str, address: str) -> str:
    return auth.sign_in(get_database(), name, password, address=address)


def _set_up(name: str, password: str, code: str | None, *, address: str, local: bool) -> str:
    db = get_database()
    auth.create_first_admin(db, name, password, local=local, address=address, code=code)
    return auth.sign_in(db, name, password, address=address)


def _guest(address: str) -> str:
    return auth.start_guest(get_database(), address=address)


def _accept(ticket: str) -> str:
    return redeem_ticket(get_database(), ticket)


def _sign_out(token: str | None) -> None:
    if token:
        auth.sign_out(get_database(), token)


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


def _address(request: Request) -> str:
    return client_address(_host(request), request.headers)


def _back(code: str) -> Response:
    return RedirectResponse(f"{HOME}?error={code}", status_code=303)


AUTH_ROUTES = [
    Route("/auth/sign-in", sign_in, methods=["POST"]),
    Route("/auth/setup", set_up, methods=["POST"]),
    Route("/auth/guest", guest, methods=["GET", "POST"]),
    Route("/auth/accept", accept, methods=["GET"]),
    Route("/auth/sign-out", sign_out, methods=["GET", "POST"]),
]
