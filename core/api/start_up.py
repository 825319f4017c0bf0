"""What happens once when the server starts."""

import logging

from starlette.concurrency import run_in_threadpool

from core import history
from core.auth import announce_setup_code
from core.db import get_database
from core.errors import StorageError

logger = logging.getLogger(__name__)


async def start_up() -> None:
    """Open the database, print the setup code while nobody has an account, remove what was deleted long ago.

    A database that cannot be opened is logged, not fatal: the pages and `python -m core doctor` say what to do.
    """
    try:
        await run_in_threadpool(_prepare_database)
    except StorageError as error:
        logger.error("%s", error)


def _prepare_database() -> None:
    db = get_database()
    announce_setup_code(db)
    removed = history.purge(db)
    if removed:
        logger.info("removed %d deleted history entries", removed)
