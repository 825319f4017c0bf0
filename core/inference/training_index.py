"""The index of the training tiles of a generator's active weights."""

import logging
from functools import lru_cache
from pathlib import Path

from core.errors import ModelUnavailableError, WeightsError
from core.inference.engine import Engine
from core.inference.tile_features import NETWORK
from core.models.registry import get_card
from core.quality.neighbours import TrainingIndex
from core.quality.neighbours_file import load_index

logger = logging.getLogger(__name__)


def training_index(engine: Engine, name: str) -> TrainingIndex | None:
    """Return the index of a generator's active weights; None where they bring none or it is unusable."""
    try:
        return require_index(engine, name)
    except (WeightsError, ModelUnavailableError) as error:
        logger.warning("%s", error)
        return None


def require_index(engine: Engine, name: str) -> TrainingIndex:
    """Return the index of a generator's active weights.

    Raises:
        WeightsError: they bring none, or it is missing, damaged, or made for other weights or another classifier.
        ModelUnavailableError: the generator or the classifier has no usable weights.
    """
    entry, title = engine.entry(name), get_card(name).title
    file = entry.extras.get("index") if entry is not None else None
    if entry is None or not isinstance(file, str):
        raise WeightsError(
            f"The weights of {title} bring no index of their training tiles, so nothing tells how near an image is to "
            "one. Weights trained here bring it."
        )
    path = entry.paths[0].with_name(Path(file).name)
    index = _kept(path, *_fingerprint(path))
    if index.weights_sha256 != _sha256(engine, name):
        raise WeightsError(f"{path.name} was made for other weights of {title}. Make it again, or copy the right one.")
    if index.features_sha256 != _sha256(engine, NETWORK):
        raise WeightsError(
            f"{path.name} was made with other weights of {get_card(NETWORK).title}, so its distances mean nothing with "
            "these. Go back to those on the Models page, or make it again."
        )
    return index


def _sha256(engine: Engine, name: str) -> str:
    state = engine.state(name)
    if state.sha256 is None:
        raise ModelUnavailableError(f"{get_card(name).title} is unavailable. {state.error or ''}".strip())
    return state.sha256


def _fingerprint(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (-1, -1)
    return (stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _kept(path: Path, modified_ns: int, size: int) -> TrainingIndex:  # noqa: ARG001
    return load_index(path)
