"""Score an image: HER2 and PR."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from core import history
from core.api.answers import json_bytes, upload_limit_mb
from core.api.bodies import Upload, read_upload
from core.api.deps import AccountUser, Db
from core.api.forms import AnalyzeForm, multipart, parse
from core.api.schemas import PredictAnswer
from core.api.work import AnalysisPool, analysis_pool
from core.db import Database, User
from core.errors import StorageError
from core.labels import Marker
from core.types import Options, Progress, Result

router = APIRouter(tags=["analysis"])

Pool = Annotated[AnalysisPool, Depends(analysis_pool)]
BODY = multipart(AnalyzeForm)
ANSWER: dict[int | str, dict[str, Any]] = {200: {"model": PredictAnswer}}


@router.post("/predict-her2", openapi_extra=BODY, responses=ANSWER)
async def predict_her2(request: Request, user: AccountUser, db: Db, pool: Pool) -> Response:
    """HER2 score of an H&E or IHC image, with heat maps, measurements, warnings and provenance."""
    return await _predict(request, user, db, pool, Marker.HER2)


@router.post("/predict-pr", openapi_extra=BODY, responses=ANSWER)
async def predict_pr(request: Request, user: AccountUser, db: Db, pool: Pool) -> Response:
    """PR status of an image; `status` in place of `score`, with nuclei counted."""
    return await _predict(request, user, db, pool, Marker.PR)


async def _predict(request: Request, user: User, db: Database, pool: AnalysisPool, marker: Marker) -> Response:
    limit_mb = await run_in_threadpool(upload_limit_mb, db)
    upload = await read_upload(request, limit_mb=limit_mb)
    form = parse(AnalyzeForm, dict(upload.fields))
    work = partial(_analyze, db, user, upload, form.options(marker), limit_mb, raw=form.raw, store=form.store)
    return json_bytes(await pool.run(request, work))


def _analyze(
    db: Database,
    user: User,
    upload: Upload,
    options: Options,
    limit_mb: int,
    progress: Progress,
    *,
    raw: bool,
    store: bool,
) -> bytes:
    """Analyse, store, encode; everything that takes time, in a thread."""
    # The networks take seconds to import; a server that only hands out its history never does.
    from core.analysis import analyze
    from core.reports.answer import encode_json, to_json
    from core.serving import serving_engine

    result = analyze(
        upload.data,
        upload.name,
        options,
        engine=serving_engine(db),
        progress=progress,
        max_bytes=limit_mb * 1_000_000,
    )
    entry_id, problem = _save(db, user, result, upload.data) if store else (None, None)
    answer = to_json(result, entry_id=entry_id, raw=raw)
    if problem is not None:
        answer["warnings"].append({"code": "not-stored", "level": "error", "message": problem})
    return encode_json(answer)


def _save(db: Database, user: User, result: Result, data: bytes) -> tuple[str | None, str | None]:
    """Return the entry's id, or why there is none: a full disk must not cost the caller the result."""
    try:
        saved = history.save(db, user, result, data)
    except StorageError as error:
        return None, str(error)
    return (saved.entry_id if saved else None), None
