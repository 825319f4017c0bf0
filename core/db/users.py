"""Queries about people. Rules (who may, how long a password) live in `core.auth`."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db.clock import utc_now
from core.db.engine import Database
from core.db.records import User
from core.db.search import search_key
from core.db.tables import UserTable
from core.errors import ConflictError, NotFoundError
from core.labels import Role


@dataclass(frozen=True)
class Credentials:
    """A user with the argon2id hash of the password; stays within `core.auth`."""

    user: User
    password_hash: str


def count_users(db: Database) -> int:
    """Return how many users exist, disabled ones too."""
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(UserTable)) or 0


def list_users(db: Database) -> list[User]:
    """Return all users by name."""
    with db.read() as session:
        return [to_user(row) for row in session.scalars(select(UserTable).order_by(UserTable.name_key))]


def find_credentials(db: Database, name: str) -> Credentials | None:
    """Return a user and the password hash by name, case ignored."""
    with db.read() as session:
        row = session.scalar(select(UserTable).where(UserTable.name_key == search_key(name)))
        return None if row is None else Credentials(to_user(row), row.password_hash)


def get_user(db: Database, user_id: int) -> User:
    """Return one user.

    Raises:
        NotFoundError: no such user.
    """
    with db.read() as session:
        return to_user(_require(session, user_id))


def insert_user(db: Database, name: str, password_hash: str, role: Role, *, only_as_first: bool = False) -> User:
    """Add a user.

    Args:
        only_as_first: refuse if anybody exists; checked in the same transaction.
    Raises:
        ConflictError: the name is taken, or there are users already.
    """
    row = UserTable(
        name=name,
        name_key=search_key(name),
        role=role.value,
        password_hash=password_hash,
        disabled=False,
        created=utc_now(),
    )
    try:
        with db.write() as session:
            if only_as_first and session.scalar(select(func.count()).select_from(UserTable)):
                raise ConflictError("An administrator exists already. Sign in, or ask for an account.")
            session.add(row)
            session.flush()
            return to_user(row)
    except IntegrityError as error:
        raise ConflictError(f'There is a user "{name}" already. Choose another name.') from error


def update_password(db: Database, user_id: int, password_hash: str) -> None:
    """Replace the password hash.

    Raises:
        NotFoundError: no such user.
    """
    with db.write() as session:
        _require(session, user_id).password_hash = password_hash


def update_user(db: Database, user_id: int, *, role: Role | None = None, disabled: bool | None = None) -> User:
    """Change the role or disable; None leaves as it is.

    Raises:
        NotFoundError: no such user.
        ConflictError: nobody who can administer would be left; checked in the same transaction.
    """
    with db.write() as session:
        row = _require(session, user_id)
        if role is not None:
            row.role = role.value
        if disabled is not None:
            row.disabled = disabled
        session.flush()
        active_admin = UserTable.role == Role.ADMIN.value, UserTable.disabled.is_(False)
        if not session.scalar(select(func.count()).select_from(UserTable).where(*active_admin)):
            raise ConflictError(f'"{row.name}" is the last administrator. Make somebody else an administrator first.')
        return to_user(row)


def to_user(row: UserTable) -> User:
    """Return the public part of a row."""
    return User(id=row.id, name=row.name, role=Role(row.role), disabled=row.disabled, created=row.created)


def _require(session: Session, user_id: int) -> UserTable:
    row = session.get(UserTable, user_id)
    if row is None:
        raise NotFoundError("There is no such user. Reload the list of users.")
    return row
