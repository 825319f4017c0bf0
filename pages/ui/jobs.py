"""Work that runs in threads of its own, so that leaving or reloading the page never loses it; analyses above all."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import uuid4

import streamlit as st

from core.errors import AppError, CancelledError
from core.types import Options, Progress, Result

logger = logging.getLogger(__name__)

WORKERS = 2
KEEP_S = 600.0
"""How long a finished analysis waits for its page to come back."""


@dataclass(kw_only=True)
class Task:
    """One piece of work: whose it is, how far it is, why it ended without a result.

    Attributes:
        name: what is worked on, in the user's words.
        step: what is done just now; `share` of it, in [0, 1].
        error: what to tell the user where it failed or was cancelled.
    """

    owner: str
    name: str
    id: str = field(default_factory=lambda: uuid4().hex)
    step: str = "waiting"
    share: float = 0.0
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    error: AppError | None = None
    done: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def progress(self, step: str, done: int, total: int) -> None:
        """Note how far the work is; ends it where the user cancelled."""
        if self.stop.is_set():
            raise CancelledError("Cancelled. Nothing was stored.")
        self.step, self.share = step, min(1.0, done / total) if total else 0.0

    @property
    def seconds(self) -> float:
        """Since the start, or in all where the job has ended."""
        return (self.ended or time.monotonic()) - self.started


@dataclass(kw_only=True)
class Job(Task):
    """One analysis: what was asked and what came of it.

    Attributes:
        data: the upload; of a sample, empty until it is drawn.
        sample: key of a built-in sample; empty for a file.
        entry_id: in the history, or None where nothing is stored.
        known: the same image was analysed with the same options before.
    """

    data: bytes
    options: Options
    sample: str = ""
    result: Result | None = None
    entry_id: str | None = None
    known: bool = False


Work = Callable[[Job, Progress], None]
"""Does the analysis and fills in the job's result and entry_id."""

AnyTask = TypeVar("AnyTask", bound=Task)


class Jobs(Generic[AnyTask]):
    """All work of one kind in this process, by owner."""

    def __init__(self, kind: str) -> None:
        """Start nothing yet.

        Args:
            kind: of work, as the threads and the log call it.
        """
        self._kind = kind
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix=kind)
        self._jobs: list[AnyTask] = []
        self._lock = threading.Lock()

    def start(self, job: AnyTask, work: Callable[[AnyTask, Progress], None]) -> AnyTask:
        """Queue a job and forget those whose pages never came back."""
        with self._lock:
            self._jobs = [each for each in self._jobs if each.ended is None or time.monotonic() - each.ended < KEEP_S]
            self._jobs.append(job)
        self._pool.submit(self._run, job, work).add_done_callback(self._log)
        return job

    def of(self, owner: str) -> list[AnyTask]:
        """The owner's jobs that no page has collected yet, oldest first."""
        with self._lock:
            return [job for job in self._jobs if job.owner == owner]

    def collect(self, job: AnyTask) -> None:
        """Forget a job whose result the page has taken."""
        with self._lock:
            self._jobs = [each for each in self._jobs if each is not job]

    def _run(self, job: AnyTask, work: Callable[[AnyTask, Progress], None]) -> None:
        job.started = time.monotonic()
        try:
            job.progress("starting", 0, 1)
            work(job, job.progress)
        except AppError as error:
            job.error = error
        finally:
            job.ended = time.monotonic()
            job.done.set()

    def _log(self, future: Future[None]) -> None:
        error = future.exception()
        if error is not None:
            logger.error("%s stopped unexpectedly", self._kind, exc_info=error)


@st.cache_resource(show_spinner=False)
def all_jobs() -> Jobs[Job]:
    """The one list of analyses of this process."""
    return Jobs("analysis")
