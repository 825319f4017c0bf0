"""Virtual staining of whole images: overlapping tiles, evened out and blended, so that no seam shows."""

from collections.abc import Iterator

import numpy as np

from core.images import resize_to
from core.inference.engine import MAX_BATCH, Engine
from core.inference.tile_blending import TILE_PX, Blend, Corner
from core.models.card import Task
from core.models.registry import get_card
from core.quantify.membrane_features import ASSUMED_MPP
from core.types import Progress, RGBImage, no_progress

GENERATOR = "pspstain"

BLANK_RANGE = 12.0
"""Gray levels between the 1st and 99th percentile below which a tile is empty glass."""


def at_generator_scale(image: RGBImage, mpp: float | None) -> tuple[RGBImage, float]:
    """Reduce an H&E image to the scale that the generator knows; never enlarge it.

    Args:
        mpp: of the image; unknown counts as `ASSUMED_MPP`.
    Returns:
        The image, and its pixels per pixel of the upload, at most 1.
    """
    card = get_card(GENERATOR)
    factor = min(1.0, (mpp or ASSUMED_MPP) * card.input_px / card.tile_um)
    height, width = image.shape[:2]
    return resize_to(image, (max(1, round(width * factor)), max(1, round(height * factor)))), factor


def stain_image(engine: Engine, image: RGBImage, progress: Progress = no_progress) -> RGBImage:
    """Stain an H&E image of any size virtually.

    The generator's instance norm sees one tile at a time, so the same tissue comes out a little brighter or darker
    beside different neighbours: every tile gets the shift per channel with which the overlaps agree best. Empty
    tiles are passed on as they are, because instance norm would blow their noise up to a pattern. Beside the image
    and its stain no more is held than a few rows of tiles.

    Args:
        image: (H, W, 3) uint8 RGB at the scale of the generator's card (1.0 um per pixel).
        progress: told the tiles done before every few tiles.
    Returns:
        (H, W, 3) uint8 RGB, virtual IHC. An image of 256 x 256 pixels is exactly one pass; a smaller one is mirrored
        until it fills a tile.
    Raises:
        ModelUnavailableError: the weights are missing or unusable.
        CancelledError: raised by `progress`.
    """
    height, width = image.shape[:2]
    padding = ((0, max(0, TILE_PX - height)), (0, max(0, TILE_PX - width)), (0, 0))
    padded = np.pad(image, padding, mode="symmetric") if any(after for _, after in padding) else image
    blend = Blend((padded.shape[0], padded.shape[1]))
    for corner, patch in _patches(engine, padded, blend, progress):
        blend.add(*corner, patch)
    return np.ascontiguousarray(blend.finish()[:height, :width])


def _patches(engine: Engine, image: RGBImage, blend: Blend, progress: Progress) -> Iterator[tuple[Corner, RGBImage]]:
    """Yield all tiles stained, row by row, as many at once as the engine runs together."""
    corners = [(row, column) for row in range(len(blend.tops)) for column in range(len(blend.lefts))]
    at_once = MAX_BATCH[Task.VIRTUAL_STAINING]
    for start in range(0, len(corners), at_once):
        progress("staining virtually", start, len(corners))
        some = corners[start : start + at_once]
        tiles = [_tile(image, blend.tops[row], blend.lefts[column]) for row, column in some]
        full = [index for index, tile in enumerate(tiles) if not _is_blank(tile)]
        if full:
            for index, stained in zip(full, engine.stain(np.stack([tiles[index] for index in full])), strict=True):
                tiles[index] = stained
        yield from zip(some, tiles, strict=True)
    progress("staining virtually", len(corners), len(corners))


def _tile(image: RGBImage, top: int, left: int) -> RGBImage:
    return image[top : top + TILE_PX, left : left + TILE_PX]


def _is_blank(tile: RGBImage) -> bool:
    low, high = np.percentile(tile[::4, ::4].mean(axis=2), (1, 99))
    return bool(high - low < BLANK_RANGE)
