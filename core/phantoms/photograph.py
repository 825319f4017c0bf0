"""Tiles of the one photograph of real tissue that comes with scikit-image: colon, a membrane stain, about 20x."""

import numpy as np

from core.images import resize_to
from core.types import RGBImage

CUT_PX = 64
"""Side of a cut: its nuclei, 12 to 14 px wide, then have the size that they have in 128 px at 40x."""

LEAST_TISSUE = 0.5
_GLASS = 225


def real_tiles(count: int, *, seed: int, side: int = 128) -> RGBImage:
    """Cut squares of tissue that do not overlap, in random order.

    Args:
        count: at most as many are returned; the photograph has about 50.
        side: at which they are returned.
    Returns:
        (N, side, side, 3) uint8 RGB.
    """
    from skimage.data import immunohistochemistry  # bundled with scikit-image, no download

    photograph: RGBImage = immunohistochemistry()
    height, width = photograph.shape[:2]
    cuts = [
        photograph[y : y + CUT_PX, x : x + CUT_PX]
        for y in range(0, height - CUT_PX + 1, CUT_PX)
        for x in range(0, width - CUT_PX + 1, CUT_PX)
    ]
    tissue = [cut for cut in cuts if (cut.min(axis=2) < _GLASS).mean() >= LEAST_TISSUE]
    order = np.random.default_rng(seed).permutation(len(tissue))[:count]
    return np.stack([resize_to(tissue[place], (side, side)) for place in order])
