"""Accounts: the first administrator, and what administrators do with the others."""

from core.auth import setup, throttle
from core.auth.passwords import check_new_password, hash_password
from core.auth.roles import require
from core.db import audit, sessions, users
from core.db.engine import Database
from core.db.records import User
from core.errors import (
    AuthenticationError,
    ConflictError,
    InvalidOptionError,
    NotFoundError,
)
from core.labels import Role

MAX_NAME = 64

NAME_RULE = f"1 to {MAX_NAME} visible characters; upper and lower case are the same."


def users_exist(db: Database) -> bool:
    """Say whether the first administrator has been created."""
    return users.count_users(db) > 0


def create_first_admin(
    db: Database, name: str, password: str, *, local: bool, address: str = "", code: str | None = None
) -> User:
    """Create the administrator of an empty workbench.

    Args:
        local: the person sits at this machine (`core.auth.origin.is_this_machine`); others need the setup code.
        address: network address of the client, for the delay after failures and the audit log.
        code: the one-time code that the server printed.
    Raises:
        ConflictError: there are users already.
        AuthenticationError: the code is missing or wrong; TooManyAttemptsError after several.
        InvalidOptionError: the name or the password breaks its rule.
    """
    if users_exist(db):
        raise ConflictError("An administrator exists already. Sign in, or ask for an account.")
    name = check_name(name)
    check_new_password(password, name)
    if not local:
        throttle.count_attempt(db, "first administrator", address)
        if not setup.code_fits(code):
            audit.record(db, None, "setup failed", "wrong setup code", address=address)
            raise AuthenticationError(
                "The setup code is missing or wrong. It is printed in the terminal where the workbench was started."
            )
    hashed = hash_password(password)
    with db.together():
        user = users.insert_user(db, name, hashed, Role.ADMIN, only_as_first=True)
        audit.record(db, user, "first administrator created", address=address)
    return user


def add_user(db: Database, actor: User, name: str, password: str, role: Role) -> User:
    """Add a user.

    Raises:
        PermissionDeniedError: the actor is no administrator.
        InvalidOptionError: the name, the password or the role is not allowed.
        ConflictError: the name is taken.
    """
    require(actor, Role.ADMIN)
    name = check_name(name)
    check_new_password(password, name)
    role, hashed = _account_role(role), hash_password(password)
    with db.together():
        user = users.insert_user(db, name, hashed, role)
        audit.record(db, actor, "user added", f"{user.name}, {user.role.value}")
    return user


def set_role(db: Database, actor: User, user_id: int, role: Role) -> User:
    """Change a user's role; the user has to sign in again.

    Raises:
        PermissionDeniedError: the actor is no administrator.
        ConflictError: it is the last administrator.
        NotFoundError: no such user.
    """
    require(actor, Role.ADMIN)
    with db.together():
        before = users.get_user(db, user_id)
        user = users.update_user(db, user_id, role=_account_role(role))
        if user.role is not before.role:
            sessions.delete_sessions(db, user_id)
            audit.record(db, actor, "role changed", f"{user.name}: {before.role.value} -> {user.role.value}")
    return user


def set_disabled(db: Database, actor: User, user_id: int, disabled: bool) -> User:
    """Disable or enable a user; sessions end at once and tokens are refused while disabled.

    Raises:
        PermissionDeniedError: the actor is no administrator.
        ConflictError: it is the last administrator.
        NotFoundError: no such user.
    """
    require(actor, Role.ADMIN)
    with db.together():
        user = users.update_user(db, user_id, disabled=disabled)
        if disabled:
            sessions.delete_sessions(db, user_id)
        audit.record(db, actor, "user disabled" if disabled else "user enabled", user.name)
    return user


def reset_password(db: Database, actor: User, user_id: int, new: str) -> None:
    """Give a user another password; all sessions and API tokens of the user end.

    Raises:
        PermissionDeniedError: the actor is no administrator.
        InvalidOptionError: the password breaks the rule.
        NotFoundError: no such user.
    """
    require(actor, Role.ADMIN)
    user = users.get_user(db, user_id)
    check_new_password(new, user.name)
    hashed = hash_password(new)
    with db.together():
        users.update_password(db, user_id, hashed)
        sessions.delete_sessions(db, user_id)
        sessions.delete_tokens(db, user_id)
        audit.record(db, actor, "password reset", user.name)


def list_users(db: Database, actor: User) -> list[User]:
    """Return all users by name.

    Raises:
        PermissionDeniedError: the actor is no administrator.
    """
    require(actor, Role.ADMIN)
    return users.list_users(db)


def find_user(db: Database, actor: User, name: str) -> User:
    """Return a user by name, case ignored.

    Raises:
        PermissionDeniedError: the actor is no administrator.
        NotFoundError: no such user.
    """
    require(actor, Role.ADMIN)
    found = users.find_credentials(db, name)
    if found is None:
        raise NotFoundError(f'There is no user "{name}".')
    return found.user


def check_name(name: str) -> str:
    """Return a user name trimmed.

    Raises:
        InvalidOptionError: empty, too long, or with invisible characters.
    """
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidOptionError(f"This user name cannot be used. {NAME_RULE}")
    return name


def _account_role(role: Role) -> Role:
    if role is Role.GUEST:
        raise InvalidOptionError("Guests have no account. Choose pathologist, researcher or admin.")
    return role
