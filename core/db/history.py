"""Queries about stored analyses; every one for a user takes that user's id and sees nothing else."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from core.db.clock import end_of, start_of
from core.db.engine import Database
from core.db.records import HistoryQuery, HistoryRow, HistorySort, UserUsage
from core.db.search import contains_words, search_key, storable
from core.db.tables import HistoryTable, UserTable
from core.errors import NotFoundError
from core.labels import Marker, Stain, StainSource

_ORDER: dict[HistorySort, tuple[ColumnElement[Any], ...]] = {
    HistorySort.NEWEST: (),
    HistorySort.OLDEST: (HistoryTable.created.asc(),),
    HistorySort.NAME: (HistoryTable.name_key.asc(),),
    HistorySort.OUTCOME: (HistoryTable.marker.asc(), HistoryTable.outcome.asc()),
    # NULLs sort first on SQLite and last on PostgreSQL: say it
    HistorySort.CONFIDENCE: (HistoryTable.confidence.is_(None).asc(), HistoryTable.confidence.asc()),
}


def find_duplicate(db: Database, user_id: int, fingerprint: str) -> str | None:
    """Return the user's newest entry with this fingerprint."""
    with db.read() as session:
        return _duplicate(session, user_id, fingerprint)


def insert_entry(
    db: Database, user_id: int, row: HistoryRow, fingerprint: str, *, publish: Callable[[], None]
) -> str | None:
    """Store an entry unless there is one with its fingerprint.

    Args:
        publish: puts the entry's files in place; called last within the transaction, so that files and row appear
            together. What it raises undoes the row.
    Returns:
        None, or the id of the entry that existed.
    """
    with db.write() as session:
        existing = _duplicate(session, user_id, fingerprint)
        if existing is not None:
            return existing
        session.add(_to_table(user_id, row, fingerprint))
        session.flush()
        publish()
    return None


def get_entry(db: Database, user_id: int, entry_id: str) -> HistoryRow:
    """Return one of the user's entries.

    Raises:
        NotFoundError: there is none, it was deleted, or it is somebody else's.
    """
    with db.read() as session:
        return _to_row(_require(session, user_id, entry_id))


def list_entries(db: Database, user_id: int, query: HistoryQuery) -> list[HistoryRow]:
    """Return the user's entries that fit, sorted and cut as asked."""
    statement = select(HistoryTable).where(*_conditions(user_id, query))
    order = (*_ORDER[query.sort], HistoryTable.created.desc(), HistoryTable.id)
    statement = statement.order_by(*order).limit(query.limit).offset(query.offset)
    with db.read() as session:
        return [_to_row(row) for row in session.scalars(statement)]


def count_entries(db: Database, user_id: int, query: HistoryQuery) -> int:
    """Return how many of the user's entries fit, whatever the limit."""
    statement = select(func.count()).select_from(HistoryTable).where(*_conditions(user_id, query))
    with db.read() as session:
        return session.scalar(statement) or 0


def update_own_score(
    db: Database,
    user_id: int,
    entry_id: str,
    *,
    score: str | None,
    comment: str,
    disagrees: bool,
    at: datetime | None,
) -> HistoryRow:
    """Store the pathologist's own entry.

    Raises:
        NotFoundError: there is no such entry of this user.
    """
    with db.write() as session:
        row = _require(session, user_id, entry_id)
        row.own_score, row.own_comment, row.disagrees, row.own_at = score, comment, disagrees, at
        row.search_text = _search_text(row)
        session.flush()
        return _to_row(row)


def mark_deleted(db: Database, user_id: int, entry_ids: Sequence[str], *, at: datetime) -> int:
    """Hide the user's entries; return how many."""
    condition = HistoryTable.deleted_at.is_(None)
    return _set_deleted(db, user_id, entry_ids, condition, at)


def unmark_deleted(db: Database, user_id: int, entry_ids: Sequence[str], *, since: datetime) -> int:
    """Show entries again that were deleted since a time; return how many."""
    return _set_deleted(db, user_id, entry_ids, HistoryTable.deleted_at >= since, None)


def list_deleted(db: Database, before: datetime) -> list[str]:
    """Return the ids of everybody's entries that were deleted before a time."""
    with db.read() as session:
        return list(session.scalars(select(HistoryTable.id).where(HistoryTable.deleted_at < before)))


def remove_entry(db: Database, entry_id: str) -> None:
    """Remove a row for good."""
    with db.write() as session:
        session.execute(sql_delete(HistoryTable).where(HistoryTable.id == entry_id))


def list_with_original(db: Database, before: datetime) -> list[str]:
    """Return the ids of everybody's entries made before a time whose original is kept."""
    condition = HistoryTable.has_original.is_(True), HistoryTable.created < before
    with db.read() as session:
        return list(session.scalars(select(HistoryTable.id).where(*condition)))


def mark_without_original(db: Database, entry_id: str) -> None:
    """Note that the original is gone."""
    with db.write() as session:
        session.execute(update(HistoryTable).where(HistoryTable.id == entry_id).values(has_original=False))


def usage(db: Database) -> list[UserUsage]:
    """Return how many entries every user keeps, by name."""
    statement = (
        select(UserTable.id, UserTable.name, func.count(HistoryTable.id), func.max(HistoryTable.created))
        .outerjoin(HistoryTable, (HistoryTable.user_id == UserTable.id) & HistoryTable.deleted_at.is_(None))
        .group_by(UserTable.id, UserTable.name, UserTable.name_key)
        .order_by(UserTable.name_key)
    )
    with db.read() as session:
        return [UserUsage(*row) for row in session.execute(statement)]


def _conditions(user_id: int, query: HistoryQuery) -> list[ColumnElement[bool]]:
    found = [HistoryTable.user_id == user_id, HistoryTable.deleted_at.is_(None)]
    found += contains_words(HistoryTable.search_text, query.text)
    if query.marker is not None:
        found.append(HistoryTable.marker == query.marker.value)
    if query.outcome is not None:
        found.append(HistoryTable.outcome == storable(query.outcome))
    if query.date_from is not None:
        found.append(HistoryTable.created >= start_of(query.date_from))
    if query.date_to is not None:
        found.append(HistoryTable.created < end_of(query.date_to))
    if query.disagrees is not None:
        found.append(HistoryTable.disagrees.is_(query.disagrees))
    if query.virtual is not None:
        virtual = HistoryTable.stain_source == StainSource.VIRTUAL.value
        found.append(virtual if query.virtual else ~virtual)
    if query.image_sha256 is not None:
        found.append(HistoryTable.image_sha256 == storable(query.image_sha256))
    return found


def _duplicate(session: Session, user_id: int, fingerprint: str) -> str | None:
    statement = (
        select(HistoryTable.id)
        .where(
            HistoryTable.user_id == user_id,
            HistoryTable.fingerprint == fingerprint,
            HistoryTable.deleted_at.is_(None),
        )
        .order_by(HistoryTable.created.desc())
        .limit(1)
    )
    found: str | None = session.scalar(statement)
    return found


def _require(session: Session, user_id: int, entry_id: str) -> HistoryTable:
    statement = select(HistoryTable).where(
        HistoryTable.id == entry_id, HistoryTable.user_id == user_id, HistoryTable.deleted_at.is_(None)
    )
    row = session.scalar(statement)
    if row is None:
        raise NotFoundError("There is no such entry in your history. It may have been deleted.")
    return row


def _set_deleted(
    db: Database, user_id: int, entry_ids: Sequence[str], condition: ColumnElement[bool], value: datetime | None
) -> int:
    changed = 0
    with db.write() as session:
        for entry_id in set(entry_ids):  # one by one: databases limit the length of a list of values
            statement = update(HistoryTable).where(
                HistoryTable.id == entry_id, HistoryTable.user_id == user_id, condition
            )
            found = session.scalars(statement.values(deleted_at=value).returning(HistoryTable.id)).all()
            changed += len(found)
    return changed


def _search_text(row: HistoryTable) -> str:
    return search_key(" ".join((row.name, row.marker, row.outcome, row.own_score or "", row.own_comment)))


def _to_table(user_id: int, row: HistoryRow, fingerprint: str) -> HistoryTable:
    table = HistoryTable(
        id=row.id,
        user_id=user_id,
        created=row.created,
        name=storable(row.name),
        name_key=search_key(row.name),
        marker=row.marker.value,
        outcome=row.outcome,
        confidence=row.confidence,
        stain=row.stain.value,
        stain_source=row.stain_source.value,
        tiles=row.tiles,
        notices=" ".join(row.notices),
        own_score=row.own_score,
        own_comment=row.own_comment,
        own_at=row.own_at,
        disagrees=row.disagrees,
        image_sha256=row.image_sha256,
        fingerprint=fingerprint,
        width=row.width,
        height=row.height,
        has_original=row.has_original,
        deleted_at=None,
    )
    table.search_text = _search_text(table)
    return table


def _to_row(row: HistoryTable) -> HistoryRow:
    return HistoryRow(
        id=row.id,
        created=row.created,
        name=row.name,
        marker=Marker(row.marker),
        outcome=row.outcome,
        confidence=row.confidence,
        stain=Stain(row.stain),
        stain_source=StainSource(row.stain_source),
        tiles=row.tiles,
        notices=tuple(row.notices.split()),
        own_score=row.own_score,
        own_comment=row.own_comment,
        own_at=row.own_at,
        disagrees=row.disagrees,
        image_sha256=row.image_sha256,
        width=row.width,
        height=row.height,
        has_original=row.has_original,
    )
