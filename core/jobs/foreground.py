"""A training that a person starts in a terminal, known to the queue and the pages like any other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from core.errors import NotFoundError
from core.jobs import processes
from core.jobs.records import Wish, forget_trainer, read_job, runs_folder, write_job, write_trainer
from core.training.run_folder import RunFolder


@contextmanager
def in_this_process(folder: RunFolder) -> Iterator[None]:
    """Note that this process trains; a folder that the launcher does not know is left alone.

    Raises:
        StorageError: the disk refused the note.
    """
    try:
        job = read_job(folder.path.name) if folder.path.parent.resolve() == runs_folder() else None
    except NotFoundError:
        job = None
    if job is None:
        yield
        return
    write_trainer(folder, processes.describe(os.getpid(), ""))
    write_job(replace(job, requested=Wish.RUN))
    try:
        yield
    finally:
        write_job(replace(job, requested=Wish.NONE))
        forget_trainer(folder)
