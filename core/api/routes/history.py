"""The caller's own history; nobody else's can be reached from here."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from core import history
from core.api.answers import attachment, json_bytes
from core.api.deps import AccountUser, Db
from core.api.schemas import HistoryItem, HistoryPage, PredictAnswer
from core.db import HistoryQuery, HistoryRow, HistorySort
from core.labels import Marker

if TYPE_CHECKING:
    from core.reports.content import OwnEntry

router = APIRouter(prefix="/history", tags=["history"])

ANSWER: dict[int | str, dict[str, Any]] = {200: {"model": PredictAnswer}}
PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}
ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}}}
JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("")
def entries(
    user: AccountUser,
    db: Db,
    text: str = "",
    marker: Marker | None = None,
    outcome: str | None = None,
    date_from: date | None = None,
    date_to: date | None = None,
    disagrees: bool | None = None,
    virtual: bool | None = None,
    sort: HistorySort = HistorySort.NEWEST,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> HistoryPage:
    """List own analyses, filtered and sorted; `count` says how many match."""
    query = HistoryQuery(
        text=text,
        marker=marker,
        outcome=outcome,
        date_from=date_from,
        date_to=date_to,
        disagrees=disagrees,
        virtual=virtual,
        sort=sort,
        limit=limit,
        offset=offset,
    )
    rows = history.list_entries(db, user, query)
    items = [HistoryItem.model_validate(row) for row in rows]
    return HistoryPage(count=history.count_entries(db, user, query), entries=items)


@router.get("/{entry_id}", responses=ANSWER)
def entry(entry_id: str, user: AccountUser, db: Db, pictures: bool = False) -> Response:
    """One analysis as it was answered, with the own score; pictures only if asked for."""
    return json_bytes(_answer(history.load(db, user, entry_id), pictures=pictures))


@router.get("/{entry_id}/report.json", responses=ANSWER)
def report_json(entry_id: str, user: AccountUser, db: Db) -> Response:
    """The answer with its pictures, as a file."""
    found = history.load(db, user, entry_id)
    return attachment(_answer(found, pictures=True), "application/json", found.row.name, "_report.json")


@router.get("/{entry_id}/report.pdf", responses=PDF, response_class=Response)
def report_pdf(entry_id: str, user: AccountUser, db: Db) -> Response:
    """The report for reading and printing."""
    from core.reports.content import report_content
    from core.reports.pdf import to_pdf

    found = history.load(db, user, entry_id)
    content = report_content(found.result, _own(found.row, user.name), found.adjusted)
    body = to_pdf(content, found.result.pictures)
    return attachment(body, "application/pdf", found.row.name, "_report.pdf")


@router.get("/{entry_id}/report.zip", responses=ZIP, response_class=Response)
def report_zip(entry_id: str, user: AccountUser, db: Db) -> Response:
    """Report, tables and all pictures in full size; the original where it is kept."""
    from core.reports.bundle import to_zip

    found = history.load(db, user, entry_id)
    original = history.original(db, user, entry_id)
    body = to_zip(found.result, original, own=_own(found.row, user.name), adjusted=found.adjusted)
    return attachment(body, "application/zip", found.row.name, "_report.zip")


@router.get("/{entry_id}/thumbnail.jpg", responses=JPEG, response_class=Response)
def thumbnail(entry_id: str, user: AccountUser, db: Db) -> Response:
    """A small picture of the upload."""
    return Response(history.thumbnail(db, user, entry_id), media_type="image/jpeg")


def _answer(found: history.Entry, *, pictures: bool) -> bytes:
    from core.reports.answer import encode_json, to_json

    row = found.row
    answer = to_json(found.result, entry_id=row.id, adjusted=found.adjusted, pictures=pictures)
    answer["own"] = {
        "score": row.own_score,
        "comment": row.own_comment,
        "recorded": row.own_at.isoformat() if row.own_at else None,
        "disagrees": row.disagrees,
    }
    return encode_json(answer)


def _own(row: HistoryRow, author: str) -> "OwnEntry | None":
    from core.reports.content import OwnEntry

    if row.own_score is None and not row.own_comment:
        return None
    recorded = row.own_at.strftime("%Y-%m-%d %H:%M UTC") if row.own_at else ""
    return OwnEntry(score=row.own_score, comment=row.own_comment, author=author, recorded=recorded)
