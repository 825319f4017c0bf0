"""From one image to its tissue tiles, exactly as an analysis cuts them."""

import numpy as np
import numpy.typing as npt

from core.images import resize_to_fit
from core.inference.scoring import MIN_TISSUE
from core.quality.measures import TISSUE_SIDE_PX, tissue_fractions, tissue_mask
from core.slides.tiling import Box, plan_tiles
from core.stains.separation import White
from core.types import RGBImage


def tissue_boxes(
    image: RGBImage, white: White, *, mpp: float, tile_um: float
) -> tuple[list[Box], npt.NDArray[np.float64]]:
    """Find the tiles of an image that show tissue; blank ones are dropped.

    Args:
        image: (H, W, 3) uint8 RGB.
        white: (3,) RGB of its glass.
        mpp: micrometres per pixel that are assumed.
        tile_um: side of a tile in micrometres.
    Returns:
        N boxes in pixels of `image`, and (N,) their shares of tissue.
    Raises:
        InvalidImageError: the image would need too many tiles.
    """
    height, width = image.shape[:2]
    planned = plan_tiles((width, height), mpp=mpp, tile_um=tile_um)
    small = resize_to_fit(image, TISSUE_SIDE_PX)
    share = tissue_fractions(tissue_mask(small, white), planned, small.shape[1] / width)
    boxes = [box for box, fraction in zip(planned, share, strict=True) if fraction >= MIN_TISSUE]
    return boxes, share[share >= MIN_TISSUE]
