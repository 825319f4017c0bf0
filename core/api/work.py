"""Analyses run beside the event loop: a few at once, a bounded queue, and none for a caller who has gone."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from core.errors import CancelledError
from core.types import Progress

T = TypeVar("T")

WORKERS = 4
"""Analyses at once: they share the processor, but their tiles go through the networks in common batches."""

MAX_WAITING = 32
"""Requests that may wait; each holds its upload in memory."""

POLL_S = 1.0


class AnalysisPool:
    """Threads for analyses. One per application."""

    def __init__(self, *, workers: int = WORKERS, max_waiting: int = MAX_WAITING) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="analysis")
        self._places = workers + max_waiting
        self._taken = 0  # only touched in the event loop

    async def run(self, request: Request, job: Callable[[Progress], T]) -> T:
        """Run a job in a thread; its progress callback stops it when the caller hangs up.

        Raises:
            HTTPException: 503, too many are waiting already.
            CancelledError: the caller hung up.
        """
        if self._taken >= self._places:
            raise HTTPException(
                503, "Too many analyses are waiting. Please try again in a minute.", headers={"Retry-After": "60"}
            )
        gone = threading.Event()

        def progress(_step: str, _done: int, _total: int) -> None:
            if gone.is_set():
                raise CancelledError("The caller hung up; the analysis was stopped.")

        self._taken += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._executor, job, progress)
            while not (await asyncio.wait({future}, timeout=POLL_S))[0]:
                if await request.is_disconnected():
                    gone.set()
            return await future
        finally:
            gone.set()
            self._taken -= 1


def analysis_pool(request: Request) -> AnalysisPool:
    """Return the application's pool."""
    pool = request.app.state.analyses
    if not isinstance(pool, AnalysisPool):
        raise TypeError(f"the application holds {type(pool).__name__} in place of its AnalysisPool")
    return pool
