"""Runs as people see them: their own, or everybody's for administrators."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.auth import require
from core.db import User
from core.errors import NotFoundError, StorageError
from core.jobs.records import Job, Wish, iter_jobs, read_job, read_trainer
from core.labels import Role
from core.training.config import Recipe, TrainConfig, read_config
from core.training.run_folder import RunFolder, State, Status

RESEARCHERS = (Role.RESEARCHER, Role.ADMIN)


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        owner: who made it; `owner_id` tells people of one name apart.
        data: folder or table of the images.
        priority: higher ones start first.
        created: UTC.
        status: what the trainer last said, or the launcher where no trainer runs.
        place: in the queue, from 1; None for a run that does not wait.
        device: "cpu" or "cuda:0" while it trains; empty otherwise.
    """

    id: str
    owner_id: int
    owner: str
    name: str
    recipe: Recipe
    data: str
    priority: int
    created: datetime
    status: Status
    folder: RunFolder
    place: int | None
    device: str

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop and still goes on."""
        return not self.status.state.ended and self.place is None and self.folder.asked_to_stop()

    @property
    def can_resume(self) -> bool:
        """Whether it can go on where it stopped (a finished one needs more epochs)."""
        return self.status.state in (State.STOPPED, State.FAILED, State.INTERRUPTED)


def list_runs(user: User) -> list[Run]:
    """Return a user's runs, newest first; all runs for an administrator.

    Raises:
        PermissionDeniedError: the user trains nothing.
        StorageError: the folder of the runs cannot be read.
    """
    require(user, *RESEARCHERS)
    jobs = list(iter_jobs())
    queue = waiting(jobs)
    own = sorted((job for job in jobs if may_see(user, job)), key=lambda job: (job.created, job.id), reverse=True)
    return [to_run(job, queue) for job in own]


def get_run(user: User, run_id: str) -> Run:
    """Return one run.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
        PermissionDeniedError: the user trains nothing.
    """
    job = own_job(user, run_id)
    return to_run(job, waiting(list(iter_jobs())) if is_waiting(job) else [])


def own_job(user: User, run_id: str) -> Job:
    """Return the job of a run that this user may control.

    Raises:
        NotFoundError, PermissionDeniedError: as `get_run`.
    """
    require(user, *RESEARCHERS)
    job = read_job(run_id)
    if not may_see(user, job):
        raise NotFoundError("There is no such run, or it is somebody else's.")
    return job


def may_see(user: User, job: Job) -> bool:
    """Whether a run is this user's business."""
    return user.role is Role.ADMIN or user.id == job.owner_id


def is_waiting(job: Job) -> bool:
    """Whether a run shall train and no process does it yet."""
    return job.requested is Wish.RUN and read_trainer(job.folder) is None


def waiting(jobs: Sequence[Job]) -> list[Job]:
    """Return the queue: those that wait, the next one first."""
    return sorted(filter(is_waiting, jobs), key=lambda job: (-job.priority, job.queued_at, job.id))


def to_run(job: Job, queue: Sequence[Job]) -> Run:
    """Return a run as people see it.

    Args:
        queue: from `waiting`.
    """
    place = next((number for number, other in enumerate(queue, 1) if other.id == job.id), None)
    trainer = read_trainer(job.folder)
    return Run(
        id=job.id,
        owner_id=job.owner_id,
        owner=job.owner,
        name=job.name,
        recipe=job.recipe,
        data=job.data,
        priority=job.priority,
        created=job.created,
        status=job.folder.status(),
        folder=job.folder,
        place=place,
        device=trainer.device if trainer is not None else "",
    )


def config_of(folder: RunFolder) -> TrainConfig:
    """Return the configuration of a run.

    Raises:
        StorageError: its file cannot be read.
        InvalidOptionError: it is not usable.
    """
    try:
        values = json.loads(folder.config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageError(f"The settings of the run {folder.path.name} cannot be read. Start a new run.") from error
    found: TrainConfig = read_config(values)
    return found


def evaluation_of(folder: RunFolder) -> dict[str, Any] | None:
    """Return the final figures of a run; None before there are any.

    Raises:
        StorageError: their file is damaged.
    """
    try:
        found = json.loads(folder.evaluation.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(f"The figures of the run {folder.path.name} cannot be read. Resume it once more.") from error
    return found if isinstance(found, dict) else None
