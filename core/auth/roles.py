"""Who may do what."""

from datetime import UTC, datetime

from core.db.records import COMMAND_LINE_ID, GUEST_ID, User
from core.errors import AuthenticationError, PermissionDeniedError
from core.labels import Role

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def guest_user() -> User:
    """Return the guest: samples only, nothing is stored."""
    return User(id=GUEST_ID, name="guest", role=Role.GUEST, disabled=False, created=_EPOCH)


def command_line_user() -> User:
    """Return the person at the server's command line, who acts as an administrator there. Never for a request."""
    return User(id=COMMAND_LINE_ID, name="command line", role=Role.ADMIN, disabled=False, created=_EPOCH)


def require(user: User | None, *roles: Role) -> User:
    """Return the user if one is signed in and has one of the roles.

    Args:
        roles: those allowed; none means everybody with an account (not guests).
    Raises:
        AuthenticationError: nobody is signed in.
        PermissionDeniedError: the role is another one, or the account is disabled.
    """
    if user is None:
        raise AuthenticationError("Nobody is signed in. Please sign in.")
    if user.disabled:
        raise PermissionDeniedError("This account is disabled. Ask the administrator.")
    allowed = roles or tuple(role for role in Role if role is not Role.GUEST)
    if user.role not in allowed:
        needed = " or ".join(role.value for role in allowed)
        raise PermissionDeniedError(f"This needs the role {needed}; yours is {user.role.value}. Ask the administrator.")
    return user
