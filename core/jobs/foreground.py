"""A training that a person starts in a terminal, known to the queue and the pages like any other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from core.errors import ConflictError, NotFoundError
from core.jobs import locks, processes
from core.jobs.launcher import queue_lock
from core.jobs.records import (
    Job,
    Wish,
    forget_trainer,
    read_job,
    read_trainer,
    runs_folder,
    write_job,
    write_trainer,
)
from core.training.run_folder import RunFolder

WAIT_S = 20.0


@contextmanager
def in_this_process(folder: RunFolder) -> Iterator[None]:
    """Note that this process trains; a folder that the launcher does not know is left alone.

    Raises:
        ConflictError: another process trains in it.
        StorageError: the disk refused the note.
    """
    check_free(folder)
    job = _job(folder)
    if job is None:
        yield
        return
    with locks.hold(queue_lock(), wait_s=WAIT_S):
        check_free(folder)
        write_trainer(folder, processes.describe(os.getpid(), ""))
        write_job(replace(read_job(job.id), requested=Wish.RUN))
    try:
        yield
    finally:
        write_job(replace(read_job(job.id), requested=Wish.NONE))
        forget_trainer(folder)


def check_free(folder: RunFolder) -> None:
    """Make sure that no process trains in a run folder.

    Raises:
        ConflictError: one does.
    """
    trainer = read_trainer(folder)
    if locks.is_held(folder.lock) or (trainer is not None and processes.is_alive(trainer, folder)):
        raise ConflictError(
            f"Another process trains in {folder.path.name} already. Wait for it, stop it, or start a new run."
        )


def _job(folder: RunFolder) -> Job | None:
    if folder.path.parent.resolve() != runs_folder():
        return None
    try:
        return read_job(folder.path.name)
    except NotFoundError:
        return None
