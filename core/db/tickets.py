"""Queries for one-time sign-in tickets."""

from datetime import datetime

from sqlalchemy import delete, select

from core.db.engine import Database
from core.db.tables import TicketTable


def add_ticket(db: Database, *, ticket_sha256: str, sealed: str, now: datetime, expires: datetime) -> None:
    """Store a ticket and forget the expired ones."""
    with db.write() as session:
        session.execute(delete(TicketTable).where(TicketTable.expires < now))
        session.add(TicketTable(ticket_sha256=ticket_sha256, sealed=sealed, expires=expires))


def take_ticket(db: Database, *, ticket_sha256: str, now: datetime) -> str | None:
    """Remove a ticket and return what it sealed; None where it is unknown, used or expired."""
    with db.write() as session:
        # The write transaction makes reading and deleting one step: a ticket works once, in any process.
        found = session.scalar(select(TicketTable).where(TicketTable.ticket_sha256 == ticket_sha256).with_for_update())
        if found is None:
            return None
        session.delete(found)
        return found.sealed if found.expires >= now else None
