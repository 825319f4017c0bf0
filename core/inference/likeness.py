"""Whether an image looks like those its classifier was trained on."""

import logging

import numpy as np
import numpy.typing as npt

from core.errors import WeightsError
from core.inference.engine import Engine
from core.quality.appearance import appearance
from core.quality.novelty import Likeness, image_distance
from core.types import RGBImage

logger = logging.getLogger(__name__)

MAX_TILES = 64
"""The median of so many tiles, spread over the image, is that of all."""


def likeness_of(engine: Engine, name: str, tiles: RGBImage, features: npt.NDArray[np.float32]) -> Likeness | None:
    """Compare tiles with the training tiles of the active weights; None without tiles or without statistics.

    Args:
        tiles: (N, px, px, 3) uint8 RGB, as the network saw them.
        features: (N, F) their pooled features.
    """
    if len(features) == 0:
        return None
    try:
        novelty = engine.novelty(name)
        if novelty is None:
            return None
        if novelty.features.centre.shape != features.shape[1:]:
            raise WeightsError(
                f"It describes {novelty.features.centre.size} features, and the network has {features.shape[1]}."
            )
    except WeightsError as error:
        logger.warning("%s", error)
        return Likeness(0.0, float("inf"), 0.0, str(error))
    chosen = np.unique(np.linspace(0, len(tiles) - 1, min(len(tiles), MAX_TILES)).round().astype(int))
    distance = image_distance(novelty.distances(features[chosen], appearance(tiles[chosen])))
    return Likeness(distance, novelty.threshold, novelty.quantile)
