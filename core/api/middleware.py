"""Around every answer of the process: headers that browsers enforce, and no file without a session."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.cookies import session_token
from core.auth import user_for_session
from core.db import get_database
from core.errors import StorageError

POLICY = (
    "default-src 'self' data: blob:",
    # Streamlit starts with a script in its page, loads components from blob addresses and compiles chart formulas.
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "connect-src 'self' ws: wss: data: blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
)
"""Nothing is loaded from, or sent to, another server: images of patients stay here."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "; ".join(POLICY),
}

PRIVATE_PREFIXES = ("/api/", "/auth/", "/media/")
"""Answers about a person or an image: no cache may keep them."""

GUARDED = ("media", "_stcore/upload_file")
"""Pictures, reports and uploads of the pages, which Streamlit itself hands to anybody who knows the address."""


class SecurityHeaders:
    """Add the security headers to every answer, and forbid caches to keep private ones."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the headers to what comes back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        private = scope["path"].startswith(PRIVATE_PREFIXES)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if private:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_with_headers)


class FileGuard:
    """Answer 401 for the pages' files unless the browser's session is alive: a copied link dies with the sign-out."""

    def __init__(self, app: ASGIApp, *, base_path: str = "") -> None:
        """Guard the files below the path that the pages are served at ("" for the root)."""
        self.app = app
        base = f"/{base_path.strip('/')}".rstrip("/")
        self._guarded = tuple(f"{base}/{folder}/" for folder in GUARDED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the session of requests for files; pass everything else on."""
        if scope["type"] == "http" and scope["path"].startswith(self._guarded):
            try:
                user = await run_in_threadpool(_user, session_token(HTTPConnection(scope)))
            except StorageError as error:
                await JSONResponse({"detail": str(error)}, status_code=503)(scope, receive, send)
                return
            if user is None:
                await JSONResponse({"detail": "Sign in to see this file."}, status_code=401)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _user(token: str | None) -> object | None:
    return user_for_session(get_database(), token)
