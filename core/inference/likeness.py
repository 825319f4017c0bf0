"""Whether an image looks like those its classifier was trained on."""

import logging

import numpy as np
import numpy.typing as npt

from core.errors import WeightsError
from core.inference.engine import Engine
from core.quality.novelty import Likeness, image_distance

logger = logging.getLogger(__name__)


def likeness_of(engine: Engine, name: str, features: npt.NDArray[np.float32]) -> Likeness | None:
    """Compare tiles with the training tiles of the active weights; None without tiles or without statistics.

    Args:
        features: (N, F) pooled features of the tiles.
    """
    if len(features) == 0:
        return None
    try:
        novelty = engine.novelty(name)
        if novelty is None:
            return None
        if novelty.centre.shape != features.shape[1:]:
            raise WeightsError(f"It describes {novelty.centre.size} features, and the network has {features.shape[1]}.")
    except WeightsError as error:
        logger.warning("%s", error)
        return Likeness(0.0, float("inf"), 0.0, str(error))
    return Likeness(image_distance(novelty.distances(features)), novelty.threshold, novelty.quantile)
