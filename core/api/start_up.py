"""What the server does besides answering: once at its start, every second for the trainings, and every hour."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.concurrency import run_in_threadpool

from core import history, jobs
from core.auth import announce_setup_code
from core.db import get_database
from core.errors import StorageError

logger = logging.getLogger(__name__)

TIDY_EVERY_S = 3600.0
SUPERVISE_EVERY_S = 1.0


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Prepare the process before the first visitor; look after trainings and history until it stops.

    Trainings are processes of their own and go on when this one ends; the next server finds them.

    A database that cannot be opened is logged, not fatal: the pages and `python -m core doctor` say what to do.
    """
    await _quietly(_announce)
    tasks = [asyncio.create_task(_tidy()), asyncio.create_task(_supervise())]
    for task in tasks:
        task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _tidy() -> None:
    """Remove for good what was deleted, and originals that are older than the administrator keeps them."""
    while True:
        await _quietly(_purge)
        await asyncio.sleep(TIDY_EVERY_S)


async def _supervise() -> None:
    """Start what waits in the queue and see what has died; a problem that stays is logged once."""
    said = ""
    while True:
        try:
            await run_in_threadpool(jobs.tick)
            said = ""
        except StorageError as error:
            if str(error) != said:
                logger.error("%s", error)
            said = str(error)
        await asyncio.sleep(SUPERVISE_EVERY_S)


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("a task of the server broke off; restart the workbench", exc_info=task.exception())


async def _quietly(work: Callable[[], None]) -> None:
    try:
        await run_in_threadpool(work)
    except StorageError as error:
        logger.error("%s", error)


def _announce() -> None:
    announce_setup_code(get_database())


def _purge() -> None:
    removed = history.purge(get_database())
    if removed:
        logger.info("removed %d deleted history entries", removed)
