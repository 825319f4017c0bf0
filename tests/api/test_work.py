"""Analyses beside the event loop: bounded, and stopped for callers who have gone."""

import asyncio
import threading

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from core.api.work import AnalysisPool
from core.errors import CancelledError
from core.types import Progress


def request(*, gone: bool = False) -> Request:
    """A request whose caller waits, or has hung up."""

    async def receive() -> Message:
        if not gone:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": []}, receive=receive)


def test_a_job_runs_in_a_thread_of_its_own() -> None:
    def job(progress: Progress) -> str:
        progress("scoring", 1, 2)
        return threading.current_thread().name

    assert asyncio.run(AnalysisPool().run(request(), job)).startswith("analysis")


def test_errors_come_back() -> None:
    def job(_progress: Progress) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(AnalysisPool().run(request(), job))


def test_more_than_may_wait_are_sent_away() -> None:
    async def crowd() -> list[object]:
        pool, open_door = AnalysisPool(workers=1, max_waiting=1), threading.Event()

        def job(_progress: Progress) -> str:
            open_door.wait(10)
            return "done"

        waiting = [asyncio.create_task(pool.run(request(), job)) for _ in range(3)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        open_door.set()
        answers: list[object] = list(await asyncio.gather(*waiting, return_exceptions=True))
        return [*answers, await pool.run(request(), job)]

    first, second, third, later = asyncio.run(crowd())
    assert (first, second, later) == ("done", "done", "done")
    assert isinstance(third, HTTPException)
    assert (third.status_code, third.headers) == (503, {"Retry-After": "60"})


def test_a_job_stops_when_its_caller_hangs_up() -> None:
    def job(progress: Progress) -> None:
        for step in range(10_000):
            progress("scoring", step, 10_000)
            threading.Event().wait(0.01)

    with pytest.raises(CancelledError):
        asyncio.run(AnalysisPool().run(request(gone=True), job))
