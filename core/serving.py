"""The engine as the administrator wants it: bundled weights, or the chosen ones; and one to try other weights with."""

from functools import lru_cache
from pathlib import Path

from core.config import get_settings
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
    return _as_chosen(get_engine(), db)


def trial_engine(db: Database, name: str, path: Path) -> Engine:
    """Return an engine that differs in the weights of one model, which stay as they are for everybody else.

    Weights that do not fit are said to be so by `Engine.state`.

    Raises:
        StorageError: as `serving_engine`.
    """
    engine = _as_chosen(_engine_for(name, path), db)
    engine.set_override(name, path)
    return engine


def _as_chosen(engine: Engine, db: Database) -> Engine:
    chosen = get_app_settings(db).weights
    for name in CARDS:
        engine.set_override(name, Path(chosen[name]) if chosen.get(name) else None)
    return engine


@lru_cache(maxsize=2)
def _engine_for(name: str, path: Path) -> Engine:  # noqa: ARG001
    """One engine for each file that is tried; two are kept, because each holds a generator and a classifier."""
    settings = get_settings()
    return Engine(
        settings.weights_dir, device=settings.device, backend=settings.backend, cache_dir=settings.data_dir / "cache"
    )
