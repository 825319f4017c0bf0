"""API tokens: made by their owner, shown once, stored as SHA-256."""

import logging
from datetime import datetime

from core.auth.roles import require
from core.auth.secret import new_token, sha256_hex
from core.auth.signin import TOUCH_EVERY
from core.db import audit, sessions
from core.db.clock import utc_now
from core.db.engine import Database
from core.db.records import TokenInfo, User
from core.errors import InvalidOptionError, StorageError

logger = logging.getLogger(__name__)

MAX_LABEL = 64


def create_token(db: Database, user: User, label: str) -> str:
    """Make an API token and return it; it cannot be shown again.

    Args:
        label: what it is for, 1 to 64 characters.
    Raises:
        InvalidOptionError: no label, or too long.
    """
    require(user)
    label = label.strip()
    if not 1 <= len(label) <= MAX_LABEL or not label.isprintable():
        raise InvalidOptionError(f"Say in 1 to {MAX_LABEL} characters what the token is for.")
    token = new_token()
    with db.together():
        sessions.insert_token(db, sha256_hex(token), user.id, label, now=utc_now())
        audit.record(db, user, "token created", label)
    return token


def list_tokens(db: Database, user: User) -> list[TokenInfo]:
    """Return the user's own tokens, newest first."""
    require(user)
    return sessions.list_tokens(db, user.id)


def revoke_token(db: Database, user: User, token_id: int) -> None:
    """Remove one of the user's own tokens; it is refused from now on.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    require(user)
    with db.together():
        removed = sessions.delete_token(db, user.id, token_id)
        audit.record(db, user, "token revoked", removed.label)


def user_for_token(db: Database, token: str | None, *, now: datetime | None = None) -> User | None:
    """Return who a token belongs to, or None: unknown, revoked, or the account is disabled."""
    if not token:
        return None
    now = now or utc_now()
    found = sessions.find_token(db, sha256_hex(token))
    if found is None or found[1].disabled:
        return None
    info, user = found
    if info.last_used is None or now - info.last_used >= TOUCH_EVERY:
        try:
            sessions.touch_token(db, info.id, now)
        except StorageError:
            logger.warning("the use of a token could not be noted")
    return user
