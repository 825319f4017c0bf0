"""What routes need, as annotated types: a route that takes `CurrentUser` is visibly protected."""

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from core.api.cookies import session_token
from core.auth import require, user_for_session, user_for_token
from core.auth.origin import is_same_site
from core.db import Database, User, get_database
from core.errors import AuthenticationError, PermissionDeniedError
from core.labels import Role

if TYPE_CHECKING:
    from core.inference.engine import Engine

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
TOKEN_UNKNOWN = "This token is unknown, was revoked, or its user is disabled. Make a new one on the Account page."
NOBODY = "Nobody is signed in. Sign in, or send a token from the Account page as `Authorization: Bearer TOKEN`."
APPENDED = ("/predict", "/GANpredict", "/ganpredict")
"""The published phone application appends these to its server address, hence to a token that ends it."""

Db = Annotated[Database, Depends(get_database)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def current_user(request: Request, db: Db, bearer: Bearer) -> User:
    """Return who asks, by Bearer token or session cookie; guests included.

    Raises:
        AuthenticationError: nobody, or an unknown token.
        PermissionDeniedError: a page of another site used the browser's cookie.
    """
    if bearer is not None:
        return _user_of(db, bearer.credentials.strip())
    user = user_for_session(db, session_token(request))
    if user is None:
        raise AuthenticationError(NOBODY)
    if request.method not in SAFE_METHODS and not is_same_site(request.headers):
        raise PermissionDeniedError("The request came from another web site. Use a token instead of the sign-in.")
    return user


def compat_user(request: Request, db: Db, bearer: Bearer) -> User:
    """Return who asks, by `?token=` too: the published phone application can send nothing but an address."""
    token = request.query_params.get("token")
    if token is None:
        return require(current_user(request, db, bearer))
    for suffix in APPENDED:
        token = token.removesuffix(suffix)
    return require(_user_of(db, token.rstrip("/")))


def _user_of(db: Database, token: str) -> User:
    user = user_for_token(db, token)
    if user is None:
        raise AuthenticationError(TOKEN_UNKNOWN)
    return user


def _account(user: Annotated[User, Depends(current_user)]) -> User:
    return require(user)


def _researcher(user: Annotated[User, Depends(current_user)]) -> User:
    return require(user, Role.RESEARCHER, Role.ADMIN)


def engine(db: Db) -> "Engine":
    """Return the process's engine; imported here because the networks take seconds to import."""
    from core.serving import serving_engine

    return serving_engine(db)


CurrentUser = Annotated[User, Depends(current_user)]
"""Anybody signed in, guests too."""

AccountUser = Annotated[User, Depends(_account)]
"""Anybody with an account: guests have no storage and bring no images."""

ResearchUser = Annotated[User, Depends(_researcher)]
"""Researchers and administrators."""

CompatUser = Annotated[User, Depends(compat_user)]
"""Anybody with an account, on the routes of the published application."""

EngineDep = Annotated["Engine", Depends(engine)]
