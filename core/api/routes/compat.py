"""The published HER2-Classifier server's routes, so that its phone application works unchanged."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.api.answers import json_bytes, upload_limit_mb
from core.api.bodies import Upload, read_upload
from core.api.deps import CompatUser, Db, EngineDep
from core.api.forms import CompatForm, multipart
from core.api.schemas import CompatBox, CompatHealth, CompatLayer, CompatPublic
from core.api.work import AnalysisPool, analysis_pool
from core.config import get_settings
from core.db import Database
from core.errors import InvalidImageError
from core.types import Progress, RGBImage

if TYPE_CHECKING:
    from core.compat import CompatAnswer
    from core.inference.engine import Engine

router = APIRouter(prefix="/compat", tags=["published application"])

Pool = Annotated[AnalysisPool, Depends(analysis_pool)]
BODY = multipart(CompatForm)
ANSWER: dict[int | str, dict[str, Any]] = {200: {"model": CompatPublic}}


@router.get("/health")
def health(engine: EngineDep) -> CompatHealth:
    """Whether the two networks can be used."""
    states = engine.available()
    device = "cuda" if engine.backend == "torch-cuda" else "cpu"
    return CompatHealth(
        status="ok",
        device=device,
        ihcnet=states["ihcnet"].error is None,
        psp=states["pspstain"].error is None,
    )


@router.post("/predict", openapi_extra=BODY, responses=ANSWER)
async def predict(request: Request, _user: CompatUser, db: Db, pool: Pool) -> Response:
    """HER2 score of an IHC image."""
    return await _answer(request, db, pool, virtual=False)


@router.post("/GANpredict", openapi_extra=BODY, responses=ANSWER)
async def gan_predict(request: Request, _user: CompatUser, db: Db, pool: Pool) -> Response:
    """HER2 score of an H&E image through its virtual IHC, which comes back as `generated_b64`."""
    return await _answer(request, db, pool, virtual=True)


@router.post("", include_in_schema=False)
async def appended(request: Request, _user: CompatUser, db: Db, pool: Pool) -> Response:
    """Answer an address without a route: the application appends it behind the token (`?token=T/predict`)."""
    virtual = request.query_params.get("token", "").lower().endswith("/ganpredict")
    return await _answer(request, db, pool, virtual=virtual)


async def _answer(request: Request, db: Database, pool: AnalysisPool, *, virtual: bool) -> Response:
    limit_mb = await run_in_threadpool(upload_limit_mb, db)
    try:
        upload = await read_upload(request, limit_mb=limit_mb)
        return json_bytes(await pool.run(request, partial(_predict, db, upload, limit_mb, virtual=virtual)))
    except InvalidImageError as error:
        raise HTTPException(400, str(error)) from error


def _predict(db: Database, upload: Upload, limit_mb: int, progress: Progress, *, virtual: bool) -> bytes:
    from core import compat
    from core.images import decode
    from core.serving import serving_engine

    decoded = decode(upload.data, upload.name, max_bytes=limit_mb * 1_000_000, max_pixels=get_settings().max_pixels)
    score: Callable[[Engine, RGBImage, Progress], CompatAnswer] = compat.predict_virtual if virtual else compat.predict
    answer = score(serving_engine(db), decoded.image, progress)
    return _published(answer).model_dump_json(exclude_none=True).encode()


def _published(answer: "CompatAnswer") -> CompatPublic:
    """Encode all pictures at once: OpenCV releases the interpreter while it compresses."""
    box = answer.box
    with ThreadPoolExecutor(max_workers=4) as pool:
        layers = pool.map(_png, answer.gradcam_layers.values())
        pictures = pool.map(
            _png, (answer.probs_chart, answer.orig, answer.orig_resized, answer.primary_gradcam, answer.pseudo)
        )
        generated = None if answer.generated is None else _png(answer.generated)
        chart, orig, orig_resized, primary, pseudo = pictures
        return CompatPublic(
            pred_label=answer.pred_label,
            confidence=answer.confidence,
            probs=answer.probs,
            probs_chart_b64=chart,
            orig_b64=orig,
            generated_b64=generated,
            origResizedB64=orig_resized,
            gradcam_layers=[
                CompatLayer(layer_name=name, gradcam_b64=png)
                for name, png in zip(answer.gradcam_layers, layers, strict=True)
            ],
            primary_gradcam_b64=primary,
            pseudo_b64=pseudo,
            wsi_box=CompatBox(x0=box.x, y0=box.y, x1=box.x + box.width, y1=box.y + box.height),
        )


def _png(image: RGBImage) -> str:
    from core.images import encode_png

    return base64.b64encode(encode_png(image)).decode("ascii")
