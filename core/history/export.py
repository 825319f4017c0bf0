"""History and audit log as CSV."""

from collections.abc import Iterable

from core.db import AuditRow, HistoryRow
from core.spreadsheet import to_csv

HISTORY_COLUMNS = (
    "date (UTC)",
    "name",
    "marker",
    "score",
    "confidence",
    "own score",
    "disagrees",
    "comment",
    "stain",
    "stain source",
    "tiles",
    "warnings",
    "width",
    "height",
    "image SHA-256",
    "id",
)


def export_csv(rows: Iterable[HistoryRow]) -> str:
    """Return history entries as CSV with a byte order mark; encode it as UTF-8."""
    return to_csv(HISTORY_COLUMNS, (_cells(row) for row in rows))


def audit_csv(rows: Iterable[AuditRow]) -> str:
    """Return lines of the audit log as CSV with a byte order mark; encode it as UTF-8."""
    header = ("date (UTC)", "user", "action", "detail", "address")
    cells = ((f"{row.at:%Y-%m-%d %H:%M:%S}", row.user_name, row.action, row.detail, row.address) for row in rows)
    return to_csv(header, cells)


def _cells(row: HistoryRow) -> tuple[object, ...]:
    return (
        f"{row.created:%Y-%m-%d %H:%M:%S}",
        row.name,
        row.marker.title,
        row.outcome,
        None if row.confidence is None else f"{row.confidence:.4f}",
        row.own_score,
        "yes" if row.disagrees else "no",
        row.own_comment,
        row.stain.title,
        row.stain_source.value,
        row.tiles,
        " ".join(row.notices),
        row.width,
        row.height,
        row.image_sha256,
        row.id,
    )
