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
    distance = image_distance(novelty.distances(features, appearance(tiles)))
    return Likeness(distance, novelty.threshold, novelty.quantile)
