"""Heat maps and tile maps drawn over an image, on fixed scales."""

from collections.abc import Sequence

import cv2
import numpy as np

from core.errors import InvalidImageError, InvalidOptionError
from core.explain.pseudocolor import FONT, apply_table, colour_table
from core.labels import CLASSES, INSUFFICIENT, NOT_SCORED, Her2Score, Marker, PrStatus
from core.types import Heatmap, RGBImage, TileResult

RGB = tuple[int, int, int]

CLASS_COLOURS: dict[str, RGB] = {
    Her2Score.ZERO: (0, 114, 178),
    Her2Score.ONE: (86, 180, 233),
    Her2Score.TWO: (230, 159, 0),
    Her2Score.THREE: (213, 94, 0),
    PrStatus.NEGATIVE: (0, 114, 178),
    PrStatus.POSITIVE: (213, 94, 0),
    INSUFFICIENT: (140, 140, 140),
    NOT_SCORED: (140, 140, 140),
}
"""RGB per class, from the palette for colour-blind people of Okabe and Ito (2008); always shown with text."""

TILE_OPACITY = 0.22


def blend(image: RGBImage, heatmap: Heatmap, *, opacity: float = 0.5, colormap: str = "jet") -> RGBImage:
    """Lay a heat map over an image, on the fixed scale 0-1.

    Args:
        image: (H, W, 3) uint8 RGB.
        heatmap: (H, W) float32 in [0, 1]; pixels that are NaN keep the image untouched.
        opacity: of the heat map, from 0 (image alone) to 1.
        colormap: one of `core.explain.pseudocolor.COLORMAPS`.
    Returns:
        (H, W, 3) uint8 RGB.
    Raises:
        InvalidOptionError: opacity outside [0, 1] or unknown colormap.
        InvalidImageError: image and heat map differ in size.
    """
    if not 0 <= opacity <= 1:
        raise InvalidOptionError(f"Opacity is {opacity:g}; it must be between 0 and 1.")
    if image.shape[:2] != heatmap.shape:
        raise InvalidImageError(
            f"The heat map has {heatmap.shape} pixels, the image {image.shape[:2]}: give equal sizes."
        )
    colours = apply_table(heatmap, colour_table(colormap))
    mixed = np.asarray(cv2.addWeighted(colours, opacity, image, 1 - opacity, 0), dtype=np.uint8)
    unknown = np.isnan(heatmap)
    if unknown.any():
        cv2.copyTo(image, unknown.view(np.uint8), mixed)
    return mixed


def draw_tiles(image: RGBImage, tiles: Sequence[TileResult], marker: Marker, *, scale: float = 1.0) -> RGBImage:
    """Draw the scored tiles in the colours of their classes, with the class as text.

    Args:
        image: (H, W, 3) uint8 RGB.
        tiles: boxes in pixels of the upload; overlapping tiles share the overlap in the order given.
        marker: whose classes the tiles carry.
        scale: pixels of `image` per pixel of the upload.
    Returns:
        (H, W, 3) uint8 RGB.
    Raises:
        InvalidOptionError: a tile carries a label that is no class of the marker.
    """
    unknown = {tile.label for tile in tiles} - {*CLASSES[marker], INSUFFICIENT}
    if unknown:
        raise InvalidOptionError(f"Tiles carry {', '.join(sorted(unknown))}, which is no class of {marker.title}.")
    corners = [_corners(tile, scale) for tile in tiles]
    tint = image.copy()
    for tile, (start, end) in zip(tiles, corners, strict=True):
        cv2.rectangle(tint, start, end, CLASS_COLOURS[tile.label], -1)
    picture = np.asarray(cv2.addWeighted(tint, TILE_OPACITY, image, 1 - TILE_OPACITY, 0), dtype=np.uint8)
    for tile, (start, end) in zip(tiles, corners, strict=True):
        cv2.rectangle(picture, start, end, CLASS_COLOURS[tile.label], 2 if tile.explained else 1)
        _write(picture, tile.label, start, end)
    return picture


def _corners(tile: TileResult, scale: float) -> tuple[tuple[int, int], tuple[int, int]]:
    left, top = round(tile.x * scale), round(tile.y * scale)
    right, bottom = round((tile.x + tile.width) * scale) - 1, round((tile.y + tile.height) * scale) - 1
    return (left, top), (max(left, right), max(top, bottom))


def _write(picture: RGBImage, text: str, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Write a label into the top left corner of a tile, dark on a light outline; left out where it does not fit."""
    size = min(0.5, (end[0] - start[0]) / 60)
    if size < 0.25:
        return
    place = (start[0] + 4, start[1] + round(24 * size) + 4)
    cv2.putText(picture, text, place, FONT, size, (255, 255, 255), 3, cv2.LINE_AA)
    cv2.putText(picture, text, place, FONT, size, (20, 20, 20), 1, cv2.LINE_AA)
