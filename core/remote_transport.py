"""Requests to another workbench: one address, a token, and every failure in words."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.errors import InvalidImageError, InvalidOptionError, RemoteError, TooLargeError

CONNECT_TIMEOUT_S = 10.0

MAX_ANSWER_BYTES = 200_000_000
"""An answer holds a dozen pictures of at most 1400 px: what is larger is none."""

_CHUNK_BYTES = 1 << 20
_DETAIL_LENGTH = 400

Upload = tuple[str, bytes, str]
"""File name, content, media type."""


class Transport:
    """Sends requests to one API. Holds no connection between them; threads may share it.

    Redirects are not followed: token and image go to the address that was entered, and nowhere else.
    """

    def __init__(self, url: str, token: str) -> None:
        """Check address and token without connecting.

        Raises:
            InvalidOptionError: the address is not http:// or https:// with a host, or the token has odd characters.
        """
        self._api = f"{check_url(url)}/api"
        self.host = urlsplit(self._api).netloc
        self._headers = {"Authorization": f"Bearer {_check_token(token)}"} if token.strip() else {}

    def get(self, path: str, *, timeout_s: float) -> Mapping[str, Any]:
        """Ask an open route, without the token; return the JSON object it answers.

        Raises:
            RemoteError: unreachable, or no workbench.
        """
        return self._send(httpx.Request("GET", self._api + path), timeout_s)

    def post(
        self, path: str, *, files: Mapping[str, Upload], form: Mapping[str, str], timeout_s: float
    ) -> Mapping[str, Any]:
        """Send a multipart form with the token; return the JSON object it is answered with.

        Raises:
            RemoteError: unreachable, too slow, token refused, too old, or failing.
            InvalidImageError, TooLargeError: the other workbench refuses the image, in its own words.
        """
        request = httpx.Request("POST", self._api + path, files=files, data=form, headers=self._headers)
        return self._send(request, timeout_s)

    def _send(self, request: httpx.Request, timeout_s: float) -> Mapping[str, Any]:
        timeout = httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
        request.extensions["timeout"] = timeout.as_dict()
        try:
            with httpx.Client(timeout=timeout, follow_redirects=False) as client:
                response = client.send(request, stream=True)
                try:
                    body = self._read(response, deadline=time.monotonic() + timeout_s)
                finally:
                    response.close()
        except httpx.ConnectTimeout as error:
            raise RemoteError(self._unreachable(f"no answer within {CONNECT_TIMEOUT_S:.0f} s")) from error
        except httpx.TimeoutException as error:
            raise RemoteError(self._too_slow(timeout_s)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RemoteError(self._unreachable(str(error) or type(error).__name__)) from error
        return self._judged(response, body)

    def _read(self, response: httpx.Response, *, deadline: float) -> bytes:
        """Read a body that is neither endless nor trickling."""
        body = bytearray()
        for chunk in response.iter_bytes(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise RemoteError(self.no_workbench())
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer came too slowly")
        return bytes(body)

    def _judged(self, response: httpx.Response, body: bytes) -> Mapping[str, Any]:
        """Return the answer of a success, or raise what the status stands for."""
        status = response.status_code
        detail = _detail(body)
        if status in (401, 403):
            raise RemoteError(
                f"{self.host} refused the token. "
                "Make a new one on the Account page there and enter it on the Admin page here."
            )
        if response.is_redirect:
            target = response.headers.get("location", "")[:200]
            raise RemoteError(f"{self.host} sends on to {target}. If you trust that address, enter it instead.")
        if status == 413:
            raise TooLargeError(detail or f"The image is larger than {self.host} allows.")
        if status in (400, 415, 422):
            raise InvalidImageError(detail or f"{self.host} cannot read this image.")
        if status in (404, 405):
            raise RemoteError(f"{self.host} does not know this request: it is no workbench, or one that is too old.")
        if status != 200:
            reason = detail or f"status {status}"
            raise RemoteError(f"{self.host} cannot answer now ({reason}). Try again, or run the analysis here.")
        return self._parsed(body)

    def _parsed(self, body: bytes) -> Mapping[str, Any]:
        try:
            answer = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise RemoteError(self.no_workbench()) from error
        if not isinstance(answer, dict):
            raise RemoteError(self.no_workbench())
        return answer

    def no_workbench(self) -> str:
        """Say that something else answers at this address."""
        return (
            f"{self.host} answers, but not like a workbench. Check the address: it is the one you open in the browser."
        )

    def _unreachable(self, reason: str) -> str:
        return (
            f"The workbench at {self.host} cannot be reached ({reason[:_DETAIL_LENGTH]}). "
            "Check that it runs and that the address is right, or remove it on the Admin page to run analyses here."
        )

    def _too_slow(self, timeout_s: float) -> str:
        return f"{self.host} did not finish within {timeout_s:.0f} s. Try again, or analyse a smaller image."


def check_url(url: str) -> str:
    """Return the address of a workbench without "/api" and trailing slashes.

    Raises:
        InvalidOptionError: not http:// or https://, no host, or a name and password in it.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidOptionError(f"{text[:100]} is not an address ({error}).") from error
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidOptionError(
            f"{text[:100] or 'An empty text'} is not the address of a workbench. "
            "Expected http:// or https:// and a host, such as https://workbench.example.org."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidOptionError(
            "The address may hold a host, a port and a path only. Enter the token in its own field."
        )
    path = parts.path.rstrip("/").removesuffix("/api")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _check_token(token: str) -> str:
    text = token.strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidOptionError("The token holds characters that no token has. Copy it again from the Account page.")
    return text


def _detail(body: bytes) -> str:
    """Return the sentence of an error answer, shortened; empty where there is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    detail = answer.get("detail") if isinstance(answer, dict) else None
    return detail[:_DETAIL_LENGTH] if isinstance(detail, str) else ""


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
