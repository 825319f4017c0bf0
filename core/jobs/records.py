"""What the launcher keeps on disk about a run, beside what the trainer writes.

DATA_DIR/runs/<id>/job.json      who wants what trained on which data, and whether it shall run
DATA_DIR/runs/<id>/process.json  the process that trains; absent while none does
"""

import logging
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.config import get_settings
from core.errors import NotFoundError, StorageError
from core.training.config import Recipe
from core.training.run_folder import RunFolder, disk_error

logger = logging.getLogger(__name__)

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_JOB, _TRAINER = "job.json", "process.json"


class Wish(StrEnum):
    """What shall happen to a run: `RUN` while it waits or trains, `NONE` once it has ended."""

    RUN = "run"
    NONE = "none"


@dataclass(frozen=True)
class Job:
    """One job.json.

    Attributes:
        owner: name of the owner when the run was made.
        data: folder or table of the images.
        priority: higher ones start first.
        created, queued_at: UTC.
    """

    id: str
    owner_id: int
    owner: str
    name: str
    recipe: Recipe
    data: str
    priority: int
    created: datetime
    queued_at: datetime
    requested: Wish

    @property
    def folder(self) -> RunFolder:
        """The run folder."""
        return RunFolder(runs_folder() / self.id)


@dataclass(frozen=True)
class Trainer:
    """One process.json.

    Attributes:
        pid: 0 from the decision to start it until it is started.
        created: when the system made the process, seconds since 1970; tells it from a later one of the same number.
        host: name of the machine it runs on.
        device: "cpu" or "cuda:0"; empty where a person started it in a terminal.
        started: when the launcher decided to start it, seconds since 1970.
    """

    pid: int
    created: float
    host: str
    device: str
    started: float


_JOBS, _TRAINERS = TypeAdapter(Job), TypeAdapter(Trainer)


def runs_folder() -> Path:
    """Return the folder of all runs."""
    return get_settings().data_dir.resolve() / "runs"


def new_id(now: datetime) -> str:
    """Return an identifier that sorts by time and fits into a path and an address."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def is_id(text: str) -> bool:
    """Whether a text has the form of an identifier; nothing else becomes part of a path."""
    return _ID.fullmatch(text) is not None


def read_job(run_id: str) -> Job:
    """Return the job of a run.

    Raises:
        NotFoundError: there is no such run.
        StorageError: its file cannot be read.
    """
    path = runs_folder() / run_id / _JOB
    if not is_id(run_id) or not path.is_file():
        raise NotFoundError("There is no such run, or it is somebody else's.")
    try:
        return _JOBS.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StorageError(
            f"{_JOB} of the run {run_id} cannot be read. Restore it from a backup, or delete the folder {path.parent}."
        ) from error


def write_job(job: Job) -> None:
    """Write the job of a run.

    Raises:
        StorageError: the disk refused it.
    """
    job.folder.write_json(_JOB, _JOBS.dump_python(job, mode="json"))


def iter_jobs() -> Iterator[Job]:
    """Yield all jobs, oldest first; damaged ones are logged and left out."""
    try:
        names = sorted(path.name for path in runs_folder().iterdir() if is_id(path.name))
    except FileNotFoundError:
        return
    except OSError as error:
        raise disk_error(error) from error
    for name in names:
        try:
            yield read_job(name)
        except NotFoundError:
            continue  # being made, or deleted meanwhile
        except StorageError as error:
            logger.warning("%s", error)


def read_trainer(folder: RunFolder) -> Trainer | None:
    """Return the process of a run; None while there is none."""
    try:
        return _TRAINERS.validate_json((folder.path / _TRAINER).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        logger.warning("%s of the run %s: %s", _TRAINER, folder.path.name, type(error).__name__)
        return Trainer(0, 0.0, "", "", 0.0)


def write_trainer(folder: RunFolder, trainer: Trainer) -> None:
    """Write the process of a run.

    Raises:
        StorageError: the disk refused it.
    """
    folder.write_json(_TRAINER, _TRAINERS.dump_python(trainer))


def forget_trainer(folder: RunFolder) -> None:
    """Note that no process trains a run any more.

    Raises:
        StorageError: the disk refused it.
    """
    try:
        (folder.path / _TRAINER).unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(error) from error
