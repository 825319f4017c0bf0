"""What the server does by itself while it runs."""

import asyncio
import logging

import pytest

from core import jobs
from core.api import start_up
from core.db import Database
from core.errors import StorageError


def test_the_queue_is_looked_after_while_the_server_runs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    turns: list[int] = []
    monkeypatch.setattr(start_up, "SUPERVISE_EVERY_S", 0.01)
    monkeypatch.setattr(jobs, "tick", lambda: turns.append(len(turns)))

    async def serve() -> None:
        async with start_up.running():
            await asyncio.sleep(0.3)

    asyncio.run(serve())
    count = len(turns)
    assert count > 3


def test_a_problem_that_stays_is_logged_once(
    database: Database,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full() -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(start_up, "SUPERVISE_EVERY_S", 0.01)
    monkeypatch.setattr(jobs, "tick", full)

    async def serve() -> None:
        async with start_up.running():
            await asyncio.sleep(0.2)

    with caplog.at_level(logging.ERROR):
        asyncio.run(serve())
    assert [record.message for record in caplog.records] == ["The disk is full."]
