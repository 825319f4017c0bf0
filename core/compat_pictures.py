"""Pictures of the published application's answer, in sizes that a phone can take: never larger than the upload."""

from collections.abc import Mapping

import cv2
import numpy as np

from core.explain.overlay import blend
from core.explain.pseudocolor import FONT, apply_table, colour_table
from core.images import resize_to, resize_to_fit
from core.slides.tiling import Box
from core.types import Heatmap, RGBImage

PICTURE_PX = 1400
"""Longest side of a picture of the whole image."""

TILE_PICTURE_PX = 640
"""Longest side of a picture of one tile; five of them go into an answer."""

THUMBNAIL_SIZE = (420, 180)
CHART_SIZE = (600, 400)

HEAT_OPACITY = 0.55
HEAT_COLORMAP = "viridis"
PSEUDO_COLORMAP = "jet"

INK = (30, 58, 138)
BAR = (79, 123, 255)
GRID = (222, 222, 222)


def tile_overlay(tile: RGBImage, heatmap: Heatmap) -> RGBImage:
    """Return a tile with its heat map, at most `TILE_PICTURE_PX` long."""
    small = resize_to_fit(tile, TILE_PICTURE_PX)
    size = (small.shape[1], small.shape[0])
    return blend(small, cv2.resize(heatmap, size), opacity=HEAT_OPACITY, colormap=HEAT_COLORMAP)


def region_overlay(image: RGBImage, box: Box, heatmap: Heatmap) -> RGBImage:
    """Return the image with the heat map over one tile and a colour bar beside it."""
    picture, inside = _shrunk(image, box)
    field = picture[_slices(inside)]
    heat = cv2.resize(heatmap, (inside.width, inside.height))
    picture[_slices(inside)] = blend(field, heat, opacity=HEAT_OPACITY, colormap=HEAT_COLORMAP)
    return _with_bar(picture, HEAT_COLORMAP)


def region_pseudo(image: RGBImage, box: Box) -> RGBImage:
    """Return the image with one tile in false colours, from its brightest (low) to its darkest gray (high)."""
    picture, inside = _shrunk(image, box)
    field = picture[_slices(inside)]
    gray = cv2.cvtColor(field, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low, high = float(gray.min()), float(gray.max())
    darkness = (high - gray) / max(high - low, 1.0)
    picture[_slices(inside)] = apply_table(darkness, colour_table(PSEUDO_COLORMAP))
    return _with_bar(picture, PSEUDO_COLORMAP)


def orig_resized(image: RGBImage) -> RGBImage:
    """Return the upload in the fixed size that the application shows beside the heat map."""
    height, width = image.shape[:2]
    return resize_to(image, (min(THUMBNAIL_SIZE[0], width), min(THUMBNAIL_SIZE[1], height)))


def probs_chart(probs: Mapping[str, float], size: tuple[int, int]) -> RGBImage:
    """Draw the class probabilities as bars, in percent.

    Args:
        probs: label -> probability in [0, 1].
        size: (width, height) of the upload, which the chart does not exceed.
    """
    width, height = CHART_SIZE
    left, right, top, bottom = 70, width - 20, 40, height - 60
    picture = np.full((height, width, 3), 255, np.uint8)
    for percent in range(0, 101, 20):
        y = round(bottom - (bottom - top) * percent / 100)
        cv2.line(picture, (left, y), (right, y), GRID, 1)
        _centred(picture, str(percent), (left - 24, y + 5), 0.5, INK)
    step = (right - left) / len(probs)
    for index, (label, prob) in enumerate(probs.items()):
        middle = round(left + step * (index + 0.5))
        y = round(bottom - (bottom - top) * prob)
        cv2.rectangle(picture, (middle - round(step * 0.28), y), (middle + round(step * 0.28), bottom), BAR, -1)
        _centred(picture, f"{100 * prob:.0f}%", (middle, y - 8), 0.7, INK, 2)
        _centred(picture, label, (middle, bottom + 24), 0.65, INK)
    _centred(picture, "HER2 score, probability in %", ((left + right) // 2, height - 10), 0.55, INK)
    return _within(picture, size)


def _shrunk(image: RGBImage, box: Box) -> tuple[RGBImage, Box]:
    """Return a copy of at most `PICTURE_PX`, and the box in its pixels."""
    picture = resize_to_fit(image, PICTURE_PX).copy()
    factor = picture.shape[1] / image.shape[1]
    left, top = round(box.x * factor), round(box.y * factor)
    right = min(picture.shape[1], max(left + 1, round((box.x + box.width) * factor)))
    bottom = min(picture.shape[0], max(top + 1, round((box.y + box.height) * factor)))
    return picture, Box(left, top, right - left, bottom - top)


def _with_bar(picture: RGBImage, colormap: str) -> RGBImage:
    """Put a colour bar with its words to the right of a picture; the whole stays as wide as the picture was."""
    height, width = picture.shape[:2]
    wide = max(48, round(0.16 * width))
    panel = np.full((height, wide, 3), 255, np.uint8)
    ramp = np.linspace(1, 0, height, dtype=np.float32)[:, None].repeat(wide // 4, axis=1)
    panel[:, wide // 16 : wide // 16 + wide // 4] = apply_table(ramp, colour_table(colormap))
    scale = wide / 180
    at = wide // 16 + wide // 4 + wide // 16
    for text, y in (("High", round(34 * scale)), ("Medium", height // 2), ("Low", height - round(14 * scale))):
        cv2.putText(panel, text, (at, y), FONT, scale, (20, 20, 20), max(1, round(scale * 1.5)), cv2.LINE_AA)
    return _within(np.hstack((picture, panel)), (width, height))


def _within(picture: RGBImage, size: tuple[int, int]) -> RGBImage:
    """Shrink a picture, sides in proportion, until it fits into (width, height)."""
    height, width = picture.shape[:2]
    factor = min(1.0, size[0] / width, size[1] / height)
    return resize_to(picture, (max(1, int(width * factor)), max(1, int(height * factor))))


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)


def _centred(
    picture: RGBImage, text: str, place: tuple[int, int], scale: float, colour: tuple[int, int, int], weight: int = 1
) -> None:
    (wide, _), _ = cv2.getTextSize(text, FONT, scale, weight)
    cv2.putText(picture, text, (place[0] - wide // 2, place[1]), FONT, scale, colour, weight, cv2.LINE_AA)
