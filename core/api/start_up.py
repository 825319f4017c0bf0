"""What the server does besides answering: once at its start, and every hour."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.concurrency import run_in_threadpool

from core import history
from core.auth import announce_setup_code
from core.db import get_database
from core.errors import StorageError

logger = logging.getLogger(__name__)

TIDY_EVERY_S = 3600.0


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Prepare the process before the first visitor, and keep the history tidy until it stops.

    A database that cannot be opened is logged, not fatal: the pages and `python -m core doctor` say what to do.
    """
    await _quietly(_announce)
    tidying = asyncio.create_task(_tidy())
    try:
        yield
    finally:
        tidying.cancel()
        with suppress(asyncio.CancelledError):
            await tidying


async def _tidy() -> None:
    """Remove for good what was deleted, and originals that are older than the administrator keeps them."""
    while True:
        await _quietly(_purge)
        await asyncio.sleep(TIDY_EVERY_S)


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
