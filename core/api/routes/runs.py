"""Training runs: one's own, or everybody's for administrators."""

from collections import deque
from dataclasses import asdict
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from core import jobs
from core.api.answers import finite
from core.api.bodies import read_object
from core.api.deps import Db, ResearchUser
from core.api.forms import ResumeForm, RunForm, StopForm, json_body, parse
from core.api.schemas import Problem, RunDeleted, RunDetail, RunPublic, RunStats, WeightsUsed
from core.errors import ConflictError, WeightsError

router = APIRouter(prefix="/runs", tags=["training"], responses={409: {"model": Problem}})


@router.get("")
def runs(user: ResearchUser) -> list[RunPublic]:
    """List runs, newest first."""
    return [_public(run) for run in jobs.list_runs(user)]


@router.post("", openapi_extra=json_body(RunForm))
async def submit(request: Request, user: ResearchUser) -> RunPublic:
    """Check the images and the settings, and put a training in the queue."""
    form = parse(RunForm, await read_object(request))

    def work() -> RunPublic:
        config = form.config | {"recipe": form.recipe.value}
        return _public(jobs.submit(user, name=form.name, data=form.data, config=config, priority=form.priority))

    return await run_in_threadpool(work)


@router.get("/{run_id}")
def run(run_id: str, user: ResearchUser) -> RunDetail:
    """One run: how far it is, its settings, its newest numbers, its figures on held-out images."""
    found = jobs.get_run(user, run_id)
    newest = deque(found.folder.read_stats(), maxlen=1)
    return RunDetail(
        **_public(found).model_dump(),
        config=finite(jobs.config_of(found.folder).model_dump(mode="json")),
        last=finite(newest[0]) if newest else None,
        evaluation=finite(jobs.evaluation_of(found.folder)),
    )


@router.get("/{run_id}/stats")
def stats(
    run_id: str,
    user: ResearchUser,
    skip: Annotated[int, Query(ge=0, le=10**9, description="Lines that are known already.")] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> RunStats:
    """The numbers of single steps and epochs, for curves."""
    lines = list(islice(jobs.get_run(user, run_id).folder.read_stats(skip=skip), limit))
    return RunStats(next=skip + len(lines), lines=finite(lines))


@router.post("/{run_id}/stop", openapi_extra=json_body(StopForm, required=False))
async def stop(run_id: str, request: Request, user: ResearchUser) -> RunPublic:
    """Ask a run to stop, or take it out of the queue; its best weights and its checkpoint are kept."""
    form = parse(StopForm, await read_object(request, optional=True))
    return await run_in_threadpool(lambda: _public(jobs.stop(user, run_id, finish=form.finish)))


@router.post("/{run_id}/resume", openapi_extra=json_body(ResumeForm, required=False))
async def resume(run_id: str, request: Request, user: ResearchUser) -> RunPublic:
    """Put a run that ended back in the queue; it goes on after its last whole epoch."""
    form = parse(ResumeForm, await read_object(request, optional=True))
    return await run_in_threadpool(lambda: _public(jobs.resume(user, run_id, extra_epochs=form.extra_epochs)))


@router.post("/{run_id}/use")
def use(run_id: str, user: ResearchUser, db: Db) -> WeightsUsed:
    """Use the weights of a run that ended from the next analysis on; those used before are kept for a way back."""
    from core.chosen_weights import use_run  # with torch, as in every route that runs networks

    try:
        used = use_run(db, user, run_id)
    except WeightsError as error:
        raise ConflictError(str(error)) from error  # the caller's choice, not a fault of the server
    return WeightsUsed(model=used.model, sha256=used.sha256)


@router.delete("/{run_id}")
def delete(run_id: str, user: ResearchUser) -> RunDeleted:
    """Remove a run that has ended, with its weights and figures; weights that are in use stay."""
    jobs.delete(user, run_id)
    return RunDeleted(id=run_id)


def _public(run: jobs.Run) -> RunPublic:
    said = {key: value for key, value in asdict(run.status).items() if key in RunPublic.model_fields}
    return RunPublic(
        **finite(said),
        id=run.id,
        name=run.name,
        owner=run.owner,
        recipe=run.recipe,
        data=run.data,
        priority=run.priority,
        created=run.created,
        place=run.place,
        device=run.device,
    )
