"""Queries about sign-ins, API tokens and failed attempts. Only hashes of secrets come in here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from core.db.engine import Database
from core.db.records import TokenInfo, User
from core.db.tables import AttemptTable, SessionTable, TokenTable, UserTable
from core.db.users import to_user
from core.errors import NotFoundError

FORGET_AFTER = timedelta(hours=24)
"""A name or address without an attempt for so long starts afresh."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the clocks of two servers on one database may differ."""


@dataclass(frozen=True)
class SessionRow:
    """A sign-in; `user` is None for a guest."""

    id: int
    user: User | None
    last_seen: datetime
    expires: datetime


def insert_session(db: Database, token_sha256: str, user_id: int | None, *, now: datetime, expires: datetime) -> None:
    """Store a sign-in, and forget those that are over."""
    with db.write() as session:
        session.execute(delete(SessionTable).where(SessionTable.expires < now))
        session.add(
            SessionTable(token_sha256=token_sha256, user_id=user_id, created=now, last_seen=now, expires=expires)
        )


def find_session(db: Database, token_sha256: str) -> SessionRow | None:
    """Return a sign-in by the hash of its token, expired or not."""
    query = (
        select(SessionTable, UserTable)
        .outerjoin(UserTable, SessionTable.user_id == UserTable.id)
        .where(SessionTable.token_sha256 == token_sha256)
    )
    with db.read() as session:
        found = session.execute(query).one_or_none()
        if found is None:
            return None
        row, user = found
        return SessionRow(row.id, None if user is None else to_user(user), row.last_seen, row.expires)


def touch_session(db: Database, session_id: int, now: datetime) -> None:
    """Note that a sign-in is in use."""
    with db.write() as session:
        session.execute(update(SessionTable).where(SessionTable.id == session_id).values(last_seen=now))


def delete_session(db: Database, token_sha256: str) -> bool:
    """End one sign-in; False if it had ended."""
    with db.write() as session:
        query = delete(SessionTable).where(SessionTable.token_sha256 == token_sha256).returning(SessionTable.id)
        return session.scalar(query) is not None


def delete_sessions(db: Database, user_id: int, *, keep_sha256: str | None = None) -> int:
    """End all sign-ins of a user except one; return how many."""
    query = delete(SessionTable).where(SessionTable.user_id == user_id).returning(SessionTable.id)
    if keep_sha256 is not None:
        query = query.where(SessionTable.token_sha256 != keep_sha256)
    with db.write() as session:
        return len(session.scalars(query).all())


def insert_token(db: Database, token_sha256: str, user_id: int, label: str, *, now: datetime) -> None:
    """Store an API token."""
    with db.write() as session:
        session.add(TokenTable(token_sha256=token_sha256, user_id=user_id, label=label, created=now, last_used=None))


def list_tokens(db: Database, user_id: int) -> list[TokenInfo]:
    """Return the tokens of a user, newest first."""
    query = select(TokenTable).where(TokenTable.user_id == user_id).order_by(TokenTable.id.desc())
    with db.read() as session:
        return [TokenInfo(row.id, row.label, row.created, row.last_used) for row in session.scalars(query)]


def find_token(db: Database, token_sha256: str) -> tuple[TokenInfo, User] | None:
    """Return a token and its owner by the hash of the token."""
    query = (
        select(TokenTable, UserTable)
        .join(UserTable, TokenTable.user_id == UserTable.id)
        .where(TokenTable.token_sha256 == token_sha256)
    )
    with db.read() as session:
        found = session.execute(query).one_or_none()
        if found is None:
            return None
        row, user = found
        return TokenInfo(row.id, row.label, row.created, row.last_used), to_user(user)


def touch_token(db: Database, token_id: int, now: datetime) -> None:
    """Note that a token was used."""
    with db.write() as session:
        session.execute(update(TokenTable).where(TokenTable.id == token_id).values(last_used=now))


def delete_token(db: Database, user_id: int, token_id: int) -> TokenInfo:
    """Remove one of a user's own tokens.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    with db.write() as session:
        row = session.scalar(select(TokenTable).where(TokenTable.id == token_id, TokenTable.user_id == user_id))
        if row is None:
            raise NotFoundError("There is no such token. Reload the list of tokens.")
        session.delete(row)
        return TokenInfo(row.id, row.label, row.created, row.last_used)


def delete_tokens(db: Database, user_id: int) -> int:
    """Remove all tokens of a user; return how many."""
    with db.write() as session:
        query = delete(TokenTable).where(TokenTable.user_id == user_id).returning(TokenTable.id)
        return len(session.scalars(query).all())


def count_attempt(db: Database, delays: dict[str, tuple[timedelta, ...]], *, now: datetime) -> timedelta:
    """Count one attempt under several keys, unless one of them is blocked; return the wait, zero if counted.

    Counting happens before the password is checked and under the write lock, so that many attempts at once, from
    several processes, cannot slip through.

    Args:
        delays: key -> the delay after its first, second, ... attempt; the last one stays.
    """
    with db.write() as session:
        # An attempt in the future was made before the clock was set back: it must not block for years.
        outdated = (AttemptTable.last < now - FORGET_AFTER) | (AttemptTable.last > now + CLOCK_TOLERANCE)
        session.execute(delete(AttemptTable).where(outdated))
        rows = {key: session.get(AttemptTable, key) for key in delays}
        wait = max((row.blocked_until - now for row in rows.values() if row is not None), default=timedelta())
        if wait > timedelta():
            return wait
        for key, steps in delays.items():
            row = rows[key]
            if row is None:
                row = AttemptTable(key=key, count=0, last=now, blocked_until=now)
                session.add(row)
            row.count += 1
            row.last = now
            row.blocked_until = now + steps[min(row.count, len(steps)) - 1]
    return timedelta()


def forgive_attempts(db: Database, *, forget: str, uncount: str) -> None:
    """After a success: forget the attempts under one key, and take one back under another."""
    with db.write() as session:
        session.execute(delete(AttemptTable).where(AttemptTable.key == forget))
        row = session.get(AttemptTable, uncount)
        if row is not None:
            row.count = max(0, row.count - 1)
            row.blocked_until = row.last
