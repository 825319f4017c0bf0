"""The audit log: sign-ins, failures, administration, deletions, settings, weights."""

from collections.abc import Sequence

from sqlalchemy import select

from core.db.clock import end_of, start_of, utc_now
from core.db.engine import Database
from core.db.records import AuditQuery, AuditRow, User
from core.db.search import contains_words, search_key, storable
from core.db.tables import AuditTable
from core.errors import PermissionDeniedError
from core.labels import Role

__all__ = ["AuditQuery", "AuditRow", "audit_actions", "list_audit", "record"]


def record(db: Database, user: User | None, action: str, detail: str = "", *, address: str = "") -> None:
    """Write one line of the audit log.

    Args:
        user: who acted; None where nobody was signed in.
        action: a few fixed words, e.g. "sign-in failed".
        detail: what it was done to; never a password, a token or image content.
        address: network address of the client, if known.
    """
    name = "" if user is None else user.name
    detail, address = storable(detail), storable(address)[:64]
    with db.write() as session:
        session.add(
            AuditTable(
                at=utc_now(),
                user_id=None if user is None else user.id,
                user_name=name,
                action=action,
                detail=detail,
                address=address,
                search_text=search_key(f"{name} {action} {detail} {address}"),
            )
        )


def list_audit(db: Database, actor: User, query: AuditQuery | None = None) -> list[AuditRow]:
    """Return the audit log, newest first.

    Raises:
        PermissionDeniedError: the actor is no administrator.
    """
    _require_admin(actor)
    query = query or AuditQuery()
    statement = select(AuditTable).where(*contains_words(AuditTable.search_text, query.text))
    if query.action is not None:
        statement = statement.where(AuditTable.action == query.action)
    if query.date_from is not None:
        statement = statement.where(AuditTable.at >= start_of(query.date_from))
    if query.date_to is not None:
        statement = statement.where(AuditTable.at < end_of(query.date_to))
    statement = statement.order_by(AuditTable.id.desc()).limit(query.limit).offset(query.offset)
    with db.read() as session:
        return [_to_row(row) for row in session.scalars(statement)]


def audit_actions(db: Database, actor: User) -> Sequence[str]:
    """Return the actions that occur, for a filter.

    Raises:
        PermissionDeniedError: the actor is no administrator.
    """
    _require_admin(actor)
    with db.read() as session:
        return session.scalars(select(AuditTable.action).distinct().order_by(AuditTable.action)).all()


def _require_admin(actor: User) -> None:
    if actor.role is not Role.ADMIN:
        raise PermissionDeniedError("The audit log is for administrators.")


def _to_row(row: AuditTable) -> AuditRow:
    return AuditRow(row.id, row.at, row.user_name, row.action, row.detail, row.address)
