"""The engine as the administrator wants it: bundled weights, or the chosen ones."""

from pathlib import Path

from core.db import Database
from core.db.settings import get_app_settings
from core.inference.engine import Engine, get_engine
from core.models.registry import CARDS


def serving_engine(db: Database) -> Engine:
    """Return the process's engine with the weights that the administrator chose.

    Asked for every analysis, so that a change on the Admin page counts from the next one, in every process.

    Raises:
        StorageError: the settings cannot be read.
    """
    engine = get_engine()
    chosen = get_app_settings(db).weights
    for name in CARDS:
        engine.set_override(name, Path(chosen[name]) if chosen.get(name) else None)
    return engine
