"""Copies of a tile with some of its parts covered by empty glass."""

import numpy as np
import numpy.typing as npt

from core.stains.separation import White
from core.types import RGBImage

CELLS = 14
"""Cells along a side: 16 px of an IHCNet tile, 9 um."""

Regions = npt.NDArray[np.intp]
"""(px, px) index of the part that each pixel belongs to, from 0."""


def cell_regions(side_px: int) -> Regions:
    """Divide a square tile into CELLS x CELLS cells, row by row."""
    places = np.arange(side_px) * CELLS // side_px
    return np.asarray(places[:, None] * CELLS + places[None], np.intp)


def cover(tile: RGBImage, regions: Regions, shown: npt.NDArray[np.bool_], glass: White) -> RGBImage:
    """Cover the parts that are not shown.

    Args:
        tile: (px, px, 3) uint8 RGB.
        shown: (N, parts) bool, one row a copy.
        glass: (3,) RGB in [0, 255] of what covers them: empty glass, not black, which no slide has.
    Returns:
        (N, px, px, 3) uint8 RGB.
    """
    level = np.clip(np.rint(glass), 0, 255).astype(np.uint8)
    return np.where(shown[:, regions][..., None], tile[None], level)
