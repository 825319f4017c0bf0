"""Tell H&E, IHC (hematoxylin and DAB) and neither apart."""

from functools import lru_cache
from pathlib import Path

from core.config import get_settings
from core.images import is_blank, resize_to_fit
from core.labels import Stain
from core.quality.measures import BLANK_LIMIT, tissue_mask
from core.stains.features import N_FEATURES, SIDE_PX, colour_features
from core.stains.forest import Forest, load_forest
from core.types import RGBImage, StainCall

FILE_NAME = "stain_recognition.safetensors"

UNSURE_BELOW = 0.6
"""A best probability below this asks for a look; see `benchmarks/stain_recognition.py` for what falls below it."""


def recognise(image: RGBImage) -> StainCall:
    """Say which stain an image shows.

    Args:
        image: (H, W, 3) uint8 RGB of any size.
    Returns:
        The probabilities of all three answers; empty glass is "neither" with certainty.
    Raises:
        WeightsError: the bundled parameters are missing or damaged.
    """
    small = resize_to_fit(image, 2 * SIDE_PX)
    if is_blank(small) or tissue_mask(resize_to_fit(small, SIDE_PX)).mean() < BLANK_LIMIT:
        return StainCall(Stain.NEITHER, {"he": 0.0, "ihc": 0.0, "neither": 1.0}, unsure=False, overruled=False)
    forest = _forest(get_settings().weights_dir / FILE_NAME)
    shares = forest.probabilities(colour_features(small))
    probabilities = {stain.value: float(share) for stain, share in zip(Stain, shares, strict=True)}
    best = max(Stain, key=lambda stain: probabilities[stain.value])
    unsure = probabilities[best.value] < UNSURE_BELOW
    return StainCall(best, probabilities, unsure=unsure, overruled=False)


@lru_cache(maxsize=2)
def _forest(path: Path) -> Forest:
    return load_forest(path, inputs=N_FEATURES)
