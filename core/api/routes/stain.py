"""Virtual staining: an H&E image in, the IHC that the generator paints out."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from core.api.answers import upload_limit_mb
from core.api.bodies import Upload, read_upload
from core.api.deps import Db, ResearchUser
from core.api.forms import StainForm, multipart, parse
from core.api.work import AnalysisPool, analysis_pool
from core.config import get_settings
from core.db import Database
from core.labels import MPP_OF_SCALE, Scale
from core.types import Progress

router = APIRouter(tags=["analysis"])

PNG: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/png": {}},
        "description": "Virtual IHC, same size.",
        "headers": {
            "X-Seam-Index": {
                "schema": {"type": "string"},
                "description": "Steps of brightness along tile borders beside those inside tiles; none for one tile.",
            }
        },
    }
}
HEADERS = {"X-Stain-Source": "virtual"}
SEAMS = "X-Seam-Index"
"""Steps of brightness along the borders of tiles, beside those inside tiles; "none" for a single tile."""


@router.post("/stain", openapi_extra=multipart(StainForm), responses=PNG, response_class=Response)
async def stain(
    request: Request, _user: ResearchUser, db: Db, pool: Annotated[AnalysisPool, Depends(analysis_pool)]
) -> Response:
    """Stain an H&E image virtually. The picture is computed, not real staining, and says so in its metadata."""
    limit_mb = await run_in_threadpool(upload_limit_mb, db)
    upload = await read_upload(request, limit_mb=limit_mb)
    form = parse(StainForm, dict(upload.fields))
    png, seams = await pool.run(request, partial(_stain, db, upload, form.scale, limit_mb))
    return Response(png, media_type="image/png", headers=HEADERS | {SEAMS: seams})


def _stain(db: Database, upload: Upload, scale: Scale, limit_mb: int, progress: Progress) -> tuple[bytes, str]:
    """The picture, and its seam index as text."""
    from core.images import decode, resize_to
    from core.inference.scoring import virtual_field
    from core.inference.seams import seam_index
    from core.quality.measures import tissue_mask
    from core.reports.answer import VIRTUAL_TEXT
    from core.reports.pictures import fast_png
    from core.serving import serving_engine

    decoded = decode(upload.data, upload.name, max_bytes=limit_mb * 1_000_000, max_pixels=get_settings().max_pixels)
    mpp = decoded.mpp if scale is Scale.FILE else MPP_OF_SCALE.get(scale)
    field = virtual_field(serving_engine(db), decoded.image, mpp, tissue_mask(decoded.image), progress)
    height, width = decoded.image.shape[:2]
    seams = seam_index(field.image)
    png = fast_png(resize_to(field.image, (width, height)), VIRTUAL_TEXT)
    return png, "none" if seams is None else f"{seams:.3f}"
