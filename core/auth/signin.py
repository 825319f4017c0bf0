"""Signing in and out: sessions on the server, known there only by the hash of the cookie's value."""

import logging
from datetime import datetime, timedelta

from core.auth import throttle
from core.auth.passwords import (
    check_new_password,
    dummy_hash,
    hash_password,
    needs_rehash,
    verify_password,
)
from core.auth.roles import guest_user, require
from core.auth.secret import new_secret, sha256_hex
from core.config import get_settings
from core.db import audit, sessions, users
from core.db.clock import utc_now
from core.db.engine import Database
from core.db.records import User
from core.db.settings import get_app_settings
from core.errors import AuthenticationError, PermissionDeniedError, StorageError

logger = logging.getLogger(__name__)

TOUCH_EVERY = timedelta(minutes=1)
"""How exactly the last use of a session is known; saves a write for most requests."""

WRONG = "The name or the password is wrong."


def sign_in(db: Database, name: str, password: str, *, address: str = "", now: datetime | None = None) -> str:
    """Check a name and a password and open a session.

    Args:
        address: network address of the client, for the delay after failures and the audit log.
    Returns:
        The session token for the cookie: 256 random bits.
    Raises:
        AuthenticationError: wrong name or password (one sentence for both), or a disabled account.
        TooManyAttemptsError: too early after failures, with the seconds to wait.
    """
    now = now or utc_now()
    throttle.count_attempt(db, name, address, now=now)
    found = users.find_credentials(db, name)
    dummy = dummy_hash()  # made for known names too: the first one takes its time
    fits = verify_password(dummy if found is None else found.password_hash, password)
    if found is None or not fits:
        who = "unknown name" if found is None else f"wrong password for {found.user.name}"
        audit.record(db, None, "sign-in failed", who, address=address)
        raise AuthenticationError(WRONG)
    if found.user.disabled:
        audit.record(db, found.user, "sign-in failed", "the account is disabled", address=address)
        raise AuthenticationError("This account is disabled. Ask the administrator.")
    renewed = hash_password(password) if needs_rehash(found.password_hash) else None
    with db.together():
        throttle.forgive(db, name, address)
        if renewed is not None:
            users.update_password(db, found.user.id, renewed)
        token = _open_session(db, found.user.id, now)
        audit.record(db, found.user, "sign-in", address=address)
    return token


def start_guest(db: Database, *, address: str = "", now: datetime | None = None) -> str:
    """Open a session for a guest and return its token.

    Raises:
        PermissionDeniedError: the administrator does not allow guests.
    """
    if not get_app_settings(db).guest_mode:
        raise PermissionDeniedError("Guests are not allowed here. Sign in with your account.")
    with db.together():
        token = _open_session(db, None, now or utc_now())
        audit.record(db, guest_user(), "guest started", address=address)
    return token


def user_for_session(db: Database, token: str | None, *, now: datetime | None = None) -> User | None:
    """Return who a session belongs to, or None: unknown, expired, signed out, disabled, or guests not allowed."""
    if not token:
        return None
    now = now or utc_now()
    found = sessions.find_session(db, sha256_hex(token))
    idle = timedelta(minutes=get_settings().session_idle_minutes)
    if found is None or now >= found.expires or now - found.last_seen >= idle:
        return None
    if found.user is None:
        return guest_user() if get_app_settings(db).guest_mode else None
    if found.user.disabled:
        return None
    if now - found.last_seen >= TOUCH_EVERY:
        try:
            sessions.touch_session(db, found.id, now)
        except StorageError:
            # A full disk must not sign people out: they could not even look at what is stored.
            logger.warning("the use of a session could not be noted")
    return found.user


def sign_out(db: Database, token: str | None, *, address: str = "") -> None:
    """End a session; nothing happens if it has ended."""
    user = user_for_session(db, token)
    if not token:
        return
    with db.together():
        if sessions.delete_session(db, sha256_hex(token)) and user is not None:
            audit.record(db, user, "sign-out", address=address)


def sign_out_everywhere(db: Database, user: User) -> int:
    """End all sessions of a user and return how many there were. API tokens stay."""
    require(user)
    with db.together():
        ended = sessions.delete_sessions(db, user.id)
        audit.record(db, user, "sign-out everywhere", f"{ended} sessions")
    return ended


def change_password(db: Database, user: User, old: str, new: str, *, keep_session: str | None = None) -> None:
    """Change the own password and end all other sessions.

    Args:
        keep_session: token of the session that stays; None ends all.
    Raises:
        AuthenticationError: the old password is wrong; TooManyAttemptsError after several.
        InvalidOptionError: the new one breaks the rule.
    """
    require(user)
    check_new_password(new, user.name)
    throttle.count_attempt(db, user.name, "")
    found = users.find_credentials(db, user.name)
    if found is None or not verify_password(found.password_hash, old):
        audit.record(db, user, "password change failed", "wrong old password")
        raise AuthenticationError("The old password is wrong.")
    hashed = hash_password(new)
    with db.together():
        throttle.forgive(db, user.name, "")
        users.update_password(db, user.id, hashed)
        sessions.delete_sessions(db, user.id, keep_sha256=sha256_hex(keep_session) if keep_session else None)
        audit.record(db, user, "password changed")


def _open_session(db: Database, user_id: int | None, now: datetime) -> str:
    token = new_secret()
    expires = now + timedelta(days=get_settings().session_days)
    sessions.insert_session(db, sha256_hex(token), user_id, now=now, expires=expires)
    return token
