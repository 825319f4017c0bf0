"""What people ask of the launcher for a run that exists: stop, go on, before or after others, away with it."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace

from core.db import User
from core.db.clock import utc_now
from core.errors import ConflictError, InvalidOptionError
from core.jobs import locks, processes
from core.jobs.launcher import queue_lock, supervise, tick
from core.jobs.records import Job, Wish, read_trainer, runs_folder, write_job
from core.jobs.runs import Run, config_of, get_run, own_job
from core.jobs.submission import QUEUED, allowed_priority
from core.training.config import read_config
from core.training.run_folder import RunFolder, State, Status, disk_error

WAIT_S = 20.0
"""How long a request waits for others, and for a process that has said its last word to be gone."""

_GONE = ".deleted-"


def stop(user: User, run_id: str, *, finish: bool = False) -> Run:
    """Ask a run to stop, or take it out of the queue; one that has ended stays as it is.

    Args:
        finish: end it with the weights that it has and judge them, instead of waiting to be resumed.
    Raises:
        NotFoundError, PermissionDeniedError: as `get_run`.
    """

    def change(job: Job) -> None:
        if job.requested is Wish.NONE:
            return
        if job.folder.status().state.ended:
            return  # the process is about to end by itself
        if read_trainer(job.folder) is None and not locks.is_held(job.folder.lock):
            message = "Taken out of the queue; resume puts it back."
            job.folder.say(replace(job.folder.status(), state=State.STOPPED, message=message))
            write_job(replace(job, requested=Wish.NONE))
            return
        if finish or job.folder.stop_asked_at() is None or job.folder.asked_to_finish():
            try:
                job.folder.ask_to_stop(finish=finish)
            except OSError as error:
                raise disk_error(error) from error

    return _change(user, run_id, change)


def resume(user: User, run_id: str, *, extra_epochs: int = 0) -> Run:
    """Put a run that ended back in the queue; it goes on after its last whole epoch.

    Args:
        extra_epochs: how many more than before; needed for a run that has done them all.
    Raises:
        ConflictError: it has not ended, or has done all its epochs.
        InvalidOptionError: the number of epochs is out of range.
        NotFoundError, PermissionDeniedError: as `get_run`.
    """
    if not 0 <= extra_epochs <= 10_000:
        raise InvalidOptionError(f"{extra_epochs} more epochs: choose 0 to 10000.")

    def change(job: Job) -> None:
        status = _ended(job)
        if status.state is State.FINISHED and not extra_epochs:
            raise ConflictError(
                "This run has done all its epochs. Say how many more it shall do."
                if status.unit == "epoch"
                else f"This run has done all its {status.unit}s. For more, start a new one."
            )
        folder = job.folder
        if extra_epochs:
            more_epochs(folder, extra_epochs)
        folder.forget_stop()
        epochs = status.epochs + extra_epochs
        folder.say(replace(status, state=State.QUEUED, epochs=epochs, left_s=None, pid=0, message=QUEUED))
        write_job(replace(job, requested=Wish.RUN, queued_at=utc_now()))

    _wait_for_end(own_job(user, run_id))
    return _change(user, run_id, change)


def more_epochs(folder: RunFolder, extra: int) -> None:
    """Let a run do more epochs than its configuration said.

    Raises:
        InvalidOptionError: that would be too many, or the configuration is damaged.
        StorageError: the disk refused it.
    """
    config = config_of(folder)
    if config.unit != "epoch":
        raise InvalidOptionError(f"This run is done in {config.unit}s, not in epochs. Start a new one instead.")
    values = config.model_dump(mode="json")
    folder.write_json("config.json", read_config(values | {"epochs": config.epochs + extra}).model_dump(mode="json"))


def set_priority(user: User, run_id: str, priority: int) -> Run:
    """Let a run start before or after others that wait.

    Raises:
        InvalidOptionError: out of range.
        PermissionDeniedError: only administrators go above 0.
        NotFoundError: as `get_run`.
    """
    priority = allowed_priority(user, priority)
    return _change(user, run_id, lambda job: write_job(replace(job, priority=priority)))


def delete(user: User, run_id: str) -> None:
    """Remove a run that has ended, with its weights and figures; weights in use were copied and stay.

    Raises:
        ConflictError: it has not ended.
        NotFoundError, PermissionDeniedError: as `get_run`.
        StorageError: the disk refused it.
    """
    _wait_for_end(own_job(user, run_id))
    with locks.hold(queue_lock(), wait_s=WAIT_S):
        supervise(own_job(user, run_id))
        job = own_job(user, run_id)
        _ended(job)
        try:
            job.folder.path.rename(runs_folder() / f"{_GONE}{job.id}")
        except OSError as error:
            raise disk_error(error) from error
    for gone in runs_folder().glob(f"{_GONE}*"):
        shutil.rmtree(gone, ignore_errors=True)


def _change(user: User, run_id: str, change: Callable[[Job], None]) -> Run:
    """Change a run while nobody else does, then let the supervisor look at it."""
    own_job(user, run_id)
    with locks.hold(queue_lock(), wait_s=WAIT_S):
        supervise(own_job(user, run_id))
        change(own_job(user, run_id))
    tick()
    return get_run(user, run_id)


def _ended(job: Job) -> Status:
    """The status of a run that has ended, as the supervisor has just seen it.

    Raises:
        ConflictError: it waits or trains.
    """
    if job.requested is Wish.RUN:
        doing = "waits for its turn" if read_trainer(job.folder) is None else "still trains"
        raise ConflictError(f"This run {doing}. Stop it first, or wait until it is done.")
    if locks.is_held(job.folder.lock):
        raise ConflictError("Somebody trains in the folder of this run, from a terminal. Stop that first.")
    return job.folder.status()


def _wait_for_end(job: Job) -> None:
    """A process that has said its last word is gone in a moment: who asks already shall not be sent away."""
    deadline = time.monotonic() + WAIT_S
    while job.folder.status().state.ended and time.monotonic() < deadline:
        trainer = read_trainer(job.folder)
        if trainer is None or not processes.is_alive(trainer, job.folder):
            return
        time.sleep(0.05)
