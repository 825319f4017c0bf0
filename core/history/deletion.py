"""Deleting with undo, and removing for good."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.db import Database, User, audit
from core.db import history as rows
from core.db.clock import utc_now
from core.db.settings import get_app_settings
from core.errors import NotFoundError
from core.history import files

UNDO_SECONDS = 60
"""How long a deletion can be undone."""

PURGE_AFTER = timedelta(minutes=5)
"""Deleted entries are removed for good after this; longer than `UNDO_SECONDS`, so that nothing is undone half."""


def delete(db: Database, user: User, entry_ids: Sequence[str], *, now: datetime | None = None) -> int:
    """Delete some of the user's own entries; `undo_delete` brings them back for a minute.

    Returns:
        How many were deleted; ids of others' entries count for nothing.
    Raises:
        NotFoundError: none of them is the user's.
    """
    purge(db, now=now)
    with db.together():
        count = rows.mark_deleted(db, user.id, possible_ids(entry_ids), at=now or utc_now())
        if count:
            audit.record(db, user, "history deleted", f"{count} entries")
    if entry_ids and not count:
        raise NotFoundError("There is no such entry in your history. It may have been deleted already.")
    return count


def undo_delete(db: Database, user: User, entry_ids: Sequence[str], *, now: datetime | None = None) -> int:
    """Bring back the user's own entries that were deleted less than a minute ago; return how many."""
    since = (now or utc_now()) - timedelta(seconds=UNDO_SECONDS)
    with db.together():
        count = rows.unmark_deleted(db, user.id, possible_ids(entry_ids), since=since)
        if count:
            audit.record(db, user, "history restored", f"{count} entries")
    return count


def purge(db: Database, *, now: datetime | None = None) -> int:
    """Remove deleted entries for good, and originals that are older than the administrator's setting.

    Called at start, and by every `save` and `delete`. Files go before their row: what is interrupted is done again
    the next time.

    Returns:
        How many entries were removed.
    """
    now = now or utc_now()
    removed = 0
    for entry_id in rows.list_deleted(db, now - PURGE_AFTER):
        if files.remove_files(entry_id):
            rows.remove_entry(db, entry_id)
            removed += 1
    days = get_app_settings(db).retention_days
    if days:
        for entry_id in rows.list_with_original(db, now - timedelta(days=days)):
            if files.remove_original(entry_id):
                rows.mark_without_original(db, entry_id)
    files.remove_unfinished()
    return removed


def possible_ids(entry_ids: Sequence[str]) -> list[str]:
    """Return the ids that can exist: what comes from an address may hold anything."""
    return [entry_id for entry_id in entry_ids if entry_id.isascii() and entry_id.isalnum()]
