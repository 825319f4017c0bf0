"""Synthesis: images of a class from seeds, each marked as synthetic."""

import base64
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, Response

from core.api.answers import json_bytes
from core.api.bodies import read_object
from core.api.deps import Db, ResearchUser
from core.api.forms import SampleForm, json_body, parse
from core.api.schemas import SampledPublic, SamplesAnswer
from core.api.work import AnalysisPool, analysis_pool
from core.db import Database
from core.errors import InvalidOptionError
from core.labels import CLASSES
from core.types import Progress

router = APIRouter(tags=["synthesis"])

MAX_COUNT = 256
"""Images in one answer: 10 MB of base64. More come with further requests, from the seed after the last one."""


@router.post("/sample", openapi_extra=json_body(SampleForm), response_model=SamplesAnswer)
async def sample(
    request: Request, _user: ResearchUser, db: Db, pool: Annotated[AnalysisPool, Depends(analysis_pool)]
) -> Response:
    """Sample synthetic images of a class: the seed and those that follow it. The same seed gives the same image."""
    form = parse(SampleForm, await read_object(request))
    answer = await pool.run(request, partial(_sample, db, form))
    return json_bytes(answer.model_dump_json(by_alias=True).encode())


@router.get("/sample/exports/{file}")
def export(file: str, user: ResearchUser) -> FileResponse:
    """Fetch a ZIP of synthetic images that was made in the background on the page Synthesis."""
    from core.synthetic_export import export_of

    path = export_of(user.id, file)
    return FileResponse(path, media_type="application/zip", filename=path.name)


def _sample(db: Database, form: SampleForm, progress: Progress) -> SamplesAnswer:
    from core.inference.synthesis import GENERATORS, check_wish, iter_samples, specs_of
    from core.models.registry import get_card
    from core.serving import serving_engine
    from core.synthetic_images import kept_as, name_of, to_png

    marker = next((marker for marker in GENERATORS if form.label in CLASSES[marker]), None)
    if marker is None:
        known = ", ".join(label for marker in GENERATORS for label in CLASSES[marker])
        raise InvalidOptionError(f"`class` is {form.label[:40]!r}; the generators paint {known}.")
    if form.count > MAX_COUNT:
        raise InvalidOptionError(
            f"`count` is {form.count}; one answer holds at most {MAX_COUNT} images. Ask again from the next seed."
        )
    name = GENERATORS[marker]
    check_wish(form.count, form.seed, form.truncation, form.label, get_card(name).labels)
    engine = serving_engine(db)
    images = []
    specs = specs_of(form.label, form.count, form.seed, form.truncation)
    for some, pictures in iter_samples(engine, name, specs, progress=progress):
        for spec, picture in zip(some, pictures, strict=True):
            kept = kept_as(engine, name, spec)
            png = base64.b64encode(to_png(kept, picture)).decode("ascii")
            images.append(SampledPublic(png=png, label=spec.label, seed=spec.seed, file=name_of(kept)))
    return SamplesAnswer(
        images=images, truncation=form.truncation, model=name, weights_sha256=engine.state(name).sha256 or ""
    )
