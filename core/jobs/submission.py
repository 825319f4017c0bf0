"""A new training: checked as far as that is quick, then put in the queue."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.auth import require
from core.db import User
from core.db.clock import utc_now
from core.errors import ConflictError, InvalidOptionError, PermissionDeniedError, StorageError
from core.jobs.launcher import tick
from core.jobs.names import clean_name
from core.jobs.records import Job, Wish, iter_jobs, new_id, write_job
from core.jobs.runs import RESEARCHERS, Run, get_run
from core.jobs.sources import check_items, check_settings, data_path
from core.labels import Role
from core.training.config import StudyConfig, TrainConfig, read_config, recipe_of
from core.training.data import check_classes, open_data
from core.training.data.splitting import split
from core.training.run_folder import RunFolder, State, Status, disk_error
from core.training.study.plan import fold_cases

MAX_PRIORITY = 100
MAX_UNFINISHED = 50
"""Runs of one person that wait or train."""

QUEUED = "waits for its turn"


def submit(
    user: User, *, name: str, data: Path | str, config: TrainConfig | Mapping[str, Any], priority: int = 0
) -> Run:
    """Check a training and put it in the queue.

    Args:
        name: free text; empty names it after its recipe.
        data: folder or table of images on the server, or the identifier of an upload.
        config: the settings, or their values with `recipe` among them.
        priority: higher ones start first; only administrators may go above 0.
    Raises:
        InvalidOptionError: a setting is out of range.
        InvalidDataError, NotFoundError: the images cannot be used, or are somebody else's.
        ConflictError: too many runs of this user wait already.
        PermissionDeniedError: the user trains nothing.
        StorageError: the disk refused it; nothing is left behind.
    """
    require(user, *RESEARCHERS)
    settings = config if isinstance(config, TrainConfig) else read_config(config)
    priority = allowed_priority(user, priority)
    path = usable_data(user, data, settings)
    if sum(job.owner_id == user.id and job.requested is Wish.RUN for job in iter_jobs()) >= MAX_UNFINISHED:
        raise ConflictError(f"{MAX_UNFINISHED} of your runs are not done yet. Wait for some of them, or stop them.")
    run_id = new_run(user, name=name, data=path, config=settings, priority=priority, wish=Wish.RUN).path.name
    tick()
    return get_run(user, run_id)


def usable_data(user: User, data: Path | str, config: TrainConfig) -> Path:
    """Return the whole path of images that this user may train this recipe on.

    Raises:
        InvalidOptionError, InvalidDataError, NotFoundError: as `submit`.
    """
    path = data_path(user, data)
    check_settings(user, config)
    found = open_data(path)
    check_items(user, found)
    check_classes(found, recipe_of(config))
    if isinstance(config, StudyConfig):
        fold_cases(found, config.folds, config.seed)
    split(found, val_share=config.val_share, test_share=config.test_share, seed=config.seed)
    return path


def new_run(user: User, *, name: str, data: Path, config: TrainConfig, priority: int, wish: Wish) -> RunFolder:
    """Make a run folder; the queue sees it once it is whole.

    Raises:
        StorageError: the disk refused it; nothing is left behind.
    """
    now, recipe = utc_now(), recipe_of(config)
    job = Job(
        id=new_id(now),
        owner_id=user.id,
        owner=user.name,
        name=clean_name(name, default=f"{recipe.value} of {now:%Y-%m-%d %H:%M}"),
        recipe=recipe,
        data=str(data),
        priority=priority,
        created=now,
        queued_at=now,
        requested=wish,
    )
    folder = fill(job.folder, data, config)
    try:
        write_job(job)
    except StorageError:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    return folder


def fill(folder: RunFolder, data: Path, config: TrainConfig) -> RunFolder:
    """Write what a trainer needs to begin; the status comes last.

    Raises:
        StorageError: the disk refused it; nothing is left behind.
    """
    try:
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error) from error
    try:
        folder.write_json("config.json", config.model_dump(mode="json"))
        folder.write_json("data.json", {"data": str(data)})
        folder.say(Status(State.QUEUED, epochs=config.rounds, message=QUEUED, unit=config.unit))
    except StorageError:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    return folder


def allowed_priority(user: User, priority: int) -> int:
    """Return a priority that this user may choose.

    Raises:
        InvalidOptionError: out of range.
        PermissionDeniedError: only administrators go above 0.
    """
    if not -MAX_PRIORITY <= priority <= MAX_PRIORITY:
        raise InvalidOptionError(f"Priority {priority}: choose {-MAX_PRIORITY} to {MAX_PRIORITY}.")
    if priority > 0 and user.role is not Role.ADMIN:
        raise PermissionDeniedError("Only administrators let a run go before those of others. Choose 0 or less.")
    return priority
