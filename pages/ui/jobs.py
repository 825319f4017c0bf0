"""Analyses that run in threads of their own, so that leaving or reloading the page never loses work."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

import streamlit as st

from core.errors import AppError, CancelledError
from core.types import Options, Progress, Result

logger = logging.getLogger(__name__)

WORKERS = 2
KEEP_S = 600.0
"""How long a finished analysis waits for its page to come back."""


@dataclass
class Job:
    """One analysis: what was asked, how far it is, what came of it.

    Attributes:
        data: the upload; of a sample, empty until it is drawn.
        sample: key of a built-in sample; empty for a file.
        entry_id: in the history, or None where nothing is stored.
        known: the same image was analysed with the same options before.
    """

    owner: str
    name: str
    data: bytes
    options: Options
    sample: str = ""
    id: str = field(default_factory=lambda: uuid4().hex)
    step: str = "waiting"
    share: float = 0.0
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    result: Result | None = None
    entry_id: str | None = None
    known: bool = False
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


Work = Callable[[Job, Progress], None]
"""Does the analysis and fills in the job's result and entry_id."""


class Jobs:
    """All analyses of the process, by owner."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="analysis")
        self._jobs: list[Job] = []
        self._lock = threading.Lock()

    def start(self, job: Job, work: Work) -> Job:
        """Queue a job and forget those whose pages never came back."""
        with self._lock:
            self._jobs = [each for each in self._jobs if each.ended is None or time.monotonic() - each.ended < KEEP_S]
            self._jobs.append(job)
        self._pool.submit(self._run, job, work).add_done_callback(_log)
        return job

    def of(self, owner: str) -> list[Job]:
        """The owner's jobs that no page has collected yet, oldest first."""
        with self._lock:
            return [job for job in self._jobs if job.owner == owner]

    def collect(self, job: Job) -> None:
        """Forget a job whose result the page has taken."""
        with self._lock:
            self._jobs = [each for each in self._jobs if each is not job]

    def _run(self, job: Job, work: Work) -> None:
        job.started = time.monotonic()
        try:
            job.progress("starting", 0, 1)
            work(job, job.progress)
        except AppError as error:
            job.error = error
        finally:
            job.ended = time.monotonic()
            job.done.set()


def _log(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        logger.error("an analysis stopped unexpectedly", exc_info=error)


@st.cache_resource(show_spinner=False)
def all_jobs() -> Jobs:
    """The one list of jobs of this process."""
    return Jobs()
