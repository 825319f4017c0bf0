"""The engine as the administrator of this installation has set it up."""

import logging

from core.config import get_settings
from core.db import get_database
from core.db.engine import DATABASE_NAME
from core.errors import StorageError
from core.inference.engine import Engine, get_engine
from core.serving import serving_engine

logger = logging.getLogger(__name__)


def installed_engine() -> Engine:
    """Return the engine with the weights chosen on the Admin page; with the bundled ones where nothing is stored."""
    settings = get_settings()
    # An analysis needs no database: it must not make one.
    if not settings.database_url and not (settings.data_dir / DATABASE_NAME).is_file():
        return get_engine()
    try:
        return serving_engine(get_database())
    except StorageError as error:
        logger.warning("%s The bundled weights are used.", error)
        return get_engine()
