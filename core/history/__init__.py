"""Everybody's own history: saved results, own scores, deletion with undo, export."""

from core.db import HistoryQuery, HistoryRow, HistorySort, UserUsage
from core.history.deletion import PURGE_AFTER, UNDO_SECONDS, delete, purge, undo_delete
from core.history.entries import (
    NO_NUCLEI,
    Entry,
    Saved,
    count_entries,
    get_adjustments,
    get_row,
    list_entries,
    load,
    load_nuclei,
    original,
    record_own_score,
    save,
    save_adjustments,
    thumbnail,
    usage,
)
from core.history.export import audit_csv, export_csv
from core.history.files import storage_bytes

__all__ = [
    "NO_NUCLEI",
    "PURGE_AFTER",
    "UNDO_SECONDS",
    "Entry",
    "HistoryQuery",
    "HistoryRow",
    "HistorySort",
    "Saved",
    "UserUsage",
    "audit_csv",
    "count_entries",
    "delete",
    "export_csv",
    "get_adjustments",
    "get_row",
    "list_entries",
    "load",
    "load_nuclei",
    "original",
    "purge",
    "record_own_score",
    "save",
    "save_adjustments",
    "storage_bytes",
    "thumbnail",
    "undo_delete",
    "usage",
]
