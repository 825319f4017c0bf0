"""Nuclei of the caller's own entries: tables and pictures for other programs, and adjustments of the figures."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from core import history
from core.api.answers import attachment
from core.api.bodies import read_object
from core.api.deps import AccountUser, Db
from core.api.forms import AdjustmentsForm, json_body, parse
from core.api.quantities import AdjustedPublic
from core.errors import NotFoundError
from core.quantify.adjusted import Adjusted, adjusted_scores
from core.quantify.grading import UNCHANGED
from core.types import Adjustments

router = APIRouter(prefix="/history", tags=["history"])

ADJUSTMENTS_LIMIT_BYTES = 4_000_000
"""Room for a correction of every nucleus of a large image."""

CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}
GEOJSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/geo+json": {}}}}
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}

Original = Annotated[bool, Query(description="As measured, without anybody's adjustments.")]


@router.get("/{entry_id}/nuclei.csv", responses=CSV, response_class=Response)
def nuclei_csv(entry_id: str, user: AccountUser, db: Db, original: Original = False) -> Response:
    """One row a nucleus; rows with `counted` = yes are those that the scores rest on."""
    from core.quantify import export

    row, nuclei, adjusted = history.load_nuclei(db, user, entry_id)
    body = export.nuclei_csv(nuclei, _chosen(adjusted, original=original)).encode()
    return attachment(body, "text/csv; charset=utf-8", row.name, "_nuclei.csv")


@router.get("/{entry_id}/nuclei.geojson", responses=GEOJSON, response_class=Response)
def nuclei_geojson(entry_id: str, user: AccountUser, db: Db, original: Original = False) -> Response:
    """The nuclei that count and the regions, as QuPath opens them."""
    from core.quantify import export

    row, nuclei, adjusted = history.load_nuclei(db, user, entry_id)
    body = export.nuclei_geojson(nuclei, _chosen(adjusted, original=original))
    return attachment(body, "application/geo+json", row.name, "_nuclei.geojson")


@router.get("/{entry_id}/nuclei.png", responses=PNG, response_class=Response)
def nuclei_png(entry_id: str, user: AccountUser, db: Db, original: Original = False) -> Response:
    """The image with every nucleus outlined in the colour of its class."""
    from core.quantify.outline_picture import render_outlines
    from core.reports.pictures import fast_png

    found = history.load(db, user, entry_id)
    nuclei = found.result.nuclei
    if nuclei is None:
        raise NotFoundError(history.NO_NUCLEI)
    size = (found.row.width, found.row.height)
    chosen = _chosen(found.adjusted, original=original)
    body = fast_png(render_outlines(found.result.pictures.ihc, nuclei, size, chosen))
    return attachment(body, "image/png", found.row.name, "_nuclei.png")


@router.get("/{entry_id}/adjustments")
def adjustments(entry_id: str, user: AccountUser, db: Db) -> AdjustedPublic:
    """What a person changed about the measurement, and the figures that follow; those as measured if nothing was."""
    _, nuclei, adjusted = history.load_nuclei(db, user, entry_id)
    return _public(adjusted or adjusted_scores(nuclei))


@router.post("/{entry_id}/adjustments", openapi_extra=json_body(AdjustmentsForm))
async def adjust(entry_id: str, request: Request, user: AccountUser, db: Db) -> AdjustedPublic:
    """Keep thresholds, regions and corrections in place of the former ones; an empty object removes them.

    Answers the figures that follow. The figures as measured stay as they are.
    """
    form = parse(AdjustmentsForm, await read_object(request, limit_bytes=ADJUSTMENTS_LIMIT_BYTES))

    def work() -> AdjustedPublic:
        kept = history.save_adjustments(db, user, entry_id, form.adjustments())
        return _public(kept or adjusted_scores(history.load_nuclei(db, user, entry_id)[1]))

    return await run_in_threadpool(work)


def _chosen(adjusted: Adjusted | None, *, original: bool) -> Adjustments:
    return UNCHANGED if original or adjusted is None else adjusted.adjustments


def _public(adjusted: Adjusted) -> AdjustedPublic:
    from core.reports.measured import adjusted_fields

    return AdjustedPublic.model_validate(adjusted_fields(adjusted))
