"""One-time tickets: how a sign-in made by a page reaches the browser's cookie jar.

A page's script runs behind a web socket and can set no cookie. It gets a ticket for the new session and sends the
browser to `/auth/accept?ticket=...`, which redeems it. The address may end up in a log, so a ticket works once and for
a few seconds; the database holds its hash and the session's token sealed with it, hence nothing that signs anyone in.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from core.db import Database
from core.db.tickets import add_ticket, take_ticket
from core.errors import AuthenticationError

LIFE_S = 30.0
MAX_TOKEN_BYTES = 64


def issue_ticket(db: Database, session_token: str, *, now: datetime | None = None) -> str:
    """Return a ticket that can be exchanged once, within 30 s, for a session token.

    Args:
        session_token: as `core.auth.sign_in` or `start_guest` returned it.
        now: for tests.
    Raises:
        StorageError: the database cannot be written.
    """
    now = now or datetime.now(UTC)
    ticket = secrets.token_urlsafe(32)
    sealed = _pad(ticket, session_token.encode("ascii")).hex()
    expires = now + timedelta(seconds=LIFE_S)
    add_ticket(db, ticket_sha256=_digest(ticket), sealed=sealed, now=now, expires=expires)
    return ticket


def redeem_ticket(db: Database, ticket: str, *, now: datetime | None = None) -> str:
    """Exchange a ticket for its session token; the ticket is used up.

    Raises:
        AuthenticationError: unknown, used or expired.
        StorageError: the database cannot be written.
    """
    sealed = take_ticket(db, ticket_sha256=_digest(ticket), now=now or datetime.now(UTC))
    if sealed is None:
        raise AuthenticationError("The sign-in took too long or was used already. Please sign in again.")
    return _pad(ticket, bytes.fromhex(sealed)).decode("ascii")


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def _pad(ticket: str, data: bytes) -> bytes:
    """Seal or unseal with a one-time pad made from the ticket, which is random and never used twice."""
    if len(data) > MAX_TOKEN_BYTES:
        raise ValueError(f"a session token of {len(data)} bytes cannot be sealed; at most {MAX_TOKEN_BYTES}")
    pad = hashlib.sha512(b"workbench ticket pad:" + ticket.encode()).digest()
    return bytes(each ^ key for each, key in zip(data, pad, strict=False))
