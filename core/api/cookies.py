"""The session cookie: the only place that knows its name and its flags."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from core.config import get_settings

SESSION_COOKIE = "workbench_session"


def session_token(connection: HTTPConnection) -> str | None:
    """Return the session token a browser sent, or None."""
    return connection.cookies.get(SESSION_COOKIE) or None


def set_session(response: Response, token: str) -> None:
    """Give the browser its session: unreadable for scripts, not sent along with other sites' requests."""
    settings = get_settings()
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=settings.session_days * 86_400,
        path="/",
        secure=settings.secure_cookie,
        httponly=True,
        samesite="lax",
    )


def clear_session(response: Response) -> None:
    """Take the session away from the browser."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=get_settings().secure_cookie, httponly=True, samesite="lax")
