"""The supervisor of the queue: sees which trainers have died, ends those that do not stop, starts the next run.

It has no memory: everything it knows lies in the run folders, so that any process may take a turn, and a new server
finds the trainings of the old one.
"""

import logging
import time
from dataclasses import replace
from pathlib import Path

from core.errors import ConflictError, StorageError
from core.jobs import locks, processes
from core.jobs.devices import free_devices
from core.jobs.endings import last_words
from core.jobs.records import (
    Job,
    Trainer,
    Wish,
    forget_trainer,
    iter_jobs,
    read_job,
    read_trainer,
    runs_folder,
    write_job,
    write_trainer,
)
from core.jobs.runs import waiting
from core.training.run_folder import RunFolder, State

logger = logging.getLogger(__name__)

STOP_GRACE_S = 8.0
"""A trainer that was asked to stop and has not done so by then is ended; it loses the epoch that runs in any case."""

KILL_GRACE_S = 12.0


def queue_lock() -> Path:
    """Return the lock file that whoever changes the queue holds."""
    return runs_folder() / ".lock"


def tick() -> None:
    """Take one look at all runs; cheap enough for every second.

    Returns at once where another process is at it.

    Raises:
        StorageError: the disk refused what had to be noted; the next turn tries again.
    """
    if not runs_folder().is_dir():
        return
    try:
        with locks.hold(queue_lock()):
            _look_at_all()
    except ConflictError:
        return


def _look_at_all() -> None:
    problem: StorageError | None = None
    taken: list[str] = []
    wanted = [job for job in iter_jobs() if job.requested is Wish.RUN]
    for job in wanted:
        try:
            device = supervise(job)
        except StorageError as error:
            problem, device = error, None
        taken += [] if device is None else [device]
    # Read anew: what has just ended no longer asks to run.
    queue = [job for job in waiting([read_job(job.id) for job in wanted]) if not locks.is_held(job.folder.lock)]
    if queue:
        for job, device in zip(queue, free_devices(taken), strict=False):
            _start(job, device)
    if problem is not None:
        raise problem


def supervise(job: Job) -> str | None:
    """Look after one run, while holding the queue's lock.

    Returns:
        The device that it occupies, empty where that is unknown; None where it does not train.
    Raises:
        StorageError: the disk refused what had to be noted.
    """
    folder = job.folder
    trainer = read_trainer(folder)
    if trainer is None:
        # Somebody trains in this folder from a terminal, past the queue.
        return "" if job.requested is Wish.RUN and locks.is_held(folder.lock) else None
    if processes.is_alive(trainer, folder) or locks.is_held(folder.lock):
        _insist_on_stop(folder, _known(trainer, folder))
        return trainer.device
    _bury(job, trainer)
    return None


def _known(trainer: Trainer, folder: RunFolder) -> Trainer:
    """The process with its number, where the launcher died between starting it and writing the number down."""
    pid = folder.status().pid
    if trainer.pid or not pid:
        return trainer
    found = replace(processes.describe(pid, trainer.device), started=trainer.started)
    write_trainer(folder, found)
    return found


def _insist_on_stop(folder: RunFolder, trainer: Trainer) -> None:
    asked = folder.stop_asked_at()
    if asked is None or folder.asked_to_finish():
        return
    waited_s = time.time() - max(asked, trainer.started)
    # Who has said nothing yet still loads its libraries, hears nothing, and has nothing to lose.
    if waited_s > STOP_GRACE_S or not folder.status().pid:
        processes.end(trainer, force=waited_s > KILL_GRACE_S)


def _bury(job: Job, trainer: Trainer) -> None:
    """Note that a trainer is gone, and why if it did not say so itself."""
    folder = job.folder
    code = processes.exit_code(trainer)
    status = folder.status()
    if not status.state.ended:
        state, message = last_words(folder, status, code)
        logger.warning("run %s: %s", job.id, message)
        folder.say(replace(status, state=state, message=message, pid=0, left_s=None))
    if job.requested is not Wish.NONE:
        write_job(replace(job, requested=Wish.NONE))
    forget_trainer(folder)


def _start(job: Job, device: str) -> None:
    folder = job.folder
    # First the note, then the process: where this process dies in between, the run is found and reported.
    write_trainer(folder, Trainer(0, 0.0, "", device, time.time()))
    folder.say(replace(folder.status(), state=State.STARTING, message="starting", pid=0))
    logger.info("starting the run %s on %s", job.id, device)
    try:
        trainer = processes.start(folder, device)
    except OSError as error:
        message = f"The training program could not be started ({error.strerror}). Tell the administrator, then resume."
        folder.say(replace(folder.status(), state=State.FAILED, message=message))
        write_job(replace(job, requested=Wish.NONE))
        forget_trainer(folder)
        return
    write_trainer(folder, trainer)
