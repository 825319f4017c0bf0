"""Nuclei as peaks of the learned detector's maps."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from core.labels import OperatingPoint
from core.quantify.seeds import Detect, Seeds
from core.stains.white import WHITE_LEVEL
from core.types import Heatmap, RGBImage

Floats = npt.NDArray[np.float32]
Maps = npt.NDArray[np.float32]
"""(3, H, W) float32 in [0, 1]: centre of a stained nucleus, centre of an unstained one, inside a nucleus."""

TILE_PX, OVERLAP_PX = 512, 64
"""Side of the tiles that the detector takes, and by how much neighbours overlap at least."""


SMOOTHING_PX = 2.0
"""Sigma by which both centre maps are smoothed: an unsure detector marks a wide, low hill instead of a peak."""

_CLASS_REACH_PX = 2
"""A stained and an unstained hill of one nucleus may be this far apart."""


@dataclass(frozen=True)
class Limits:
    """From which height a peak of both smoothed centre maps together is a nucleus.

    Attributes:
        positive, negative: least height of a stained and of an unstained nucleus.
        distance: least distance of two nuclei, in pixels at 0.5 um/px.
    """

    positive: float
    negative: float
    distance: int = 5


LIMITS: dict[OperatingPoint, Limits] = {
    OperatingPoint.BEST_F1: Limits(0.2, 0.16),
    OperatingPoint.LEAST_BIAS: Limits(0.16, 0.14),
}
"""Of the bundled weights, as in their manifest; for weights that come without any."""


def read_limits(extras: Mapping[str, Any]) -> dict[OperatingPoint, Limits]:
    """Return the limits that came with the weights (table `limits` of the manifest), or the usual ones."""
    table = extras.get("limits", {})
    return {
        point: Limits(**{key: table.get(f"{name}_{key}", getattr(LIMITS[point], key)) for key in _KEYS})
        for point, name in ((OperatingPoint.BEST_F1, "best_f1"), (OperatingPoint.LEAST_BIAS, "least_bias"))
    }


_KEYS = ("positive", "negative", "distance")


def find_seeds(
    image: RGBImage,
    detect: Detect,
    operating_point: OperatingPoint = OperatingPoint.BEST_F1,
    limits: Mapping[OperatingPoint, Limits] | None = None,
) -> Seeds:
    """Find the nuclei of one block.

    Args:
        image: (H, W, 3) uint8 RGB at 0.5 um/px, white-balanced to 240; any size.
        detect: (N, 512, 512, 3) tiles to (N, 3, 512, 512) maps.
        limits: of each operating point; None takes those of the bundled weights.
    """
    maps = detect_maps(image, detect)
    return seeds_of(maps, (limits or LIMITS)[operating_point])


def detect_maps(image: RGBImage, detect: Detect) -> Maps:
    """Return the (3, H, W) maps of an image of any size, put together from overlapping tiles."""
    height, width = image.shape[:2]
    maps = np.empty((3, height, width), np.float32)
    for (top, rows), (left, columns) in product(_strips(height), _strips(width)):
        tile = _tile(image, top, left)
        answer = detect(tile[None])[0]
        own = answer[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        maps[:, rows, columns] = own
    return maps


def seeds_of(maps: Maps, limits: Limits) -> Seeds:
    """Return the nuclei that the peaks of these maps are.

    Peaks are sought in both centre maps together, so that no nucleus is found twice and one that may be either is not
    missed; the higher map then says which kind it is.
    """
    stained, unstained = (cv2.GaussianBlur(heat, (0, 0), SMOOTHING_PX) for heat in maps[:2])
    either = np.asarray(stained + unstained, np.float32)
    points = peaks(either, min(limits.positive, limits.negative), limits.distance)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _CLASS_REACH_PX + 1, 2 * _CLASS_REACH_PX + 1))
    positive = at(cv2.dilate(stained, around), points) > at(cv2.dilate(unstained, around), points)
    clearness = at(either, points) / np.where(positive, limits.positive, limits.negative)
    kept = clearness >= 1
    return Seeds(
        centres=points[kept],
        positive=positive[kept],
        confidence=np.asarray(1 - 0.5 / clearness[kept], np.float32),  # 0.5 at the limit
        inside=maps[2],
    )


def peaks(heat: Heatmap, least: float, distance: int) -> Floats:
    """Return the highest points within `distance` that reach `least`: (N, 2) float32, x and y."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * distance + 1, 2 * distance + 1))
    y, x = np.nonzero((heat >= least) & (heat == cv2.dilate(heat, kernel)))
    points = np.stack([x, y], axis=1).astype(np.float32)
    if len(points) < 2:
        return points
    doubled = cKDTree(points).query_pairs(distance, output_type="ndarray")  # plateaus: equal heights side by side
    return np.delete(points, doubled[:, 1], axis=0)


def at(heat: Heatmap, points: Floats) -> Floats:
    """Return the values at (N, 2) points, (N,)."""
    x, y = points.astype(np.intp).T
    return np.asarray(heat[y, x], np.float32)


def _strips(length: int) -> list[tuple[int, slice]]:
    """Cut a side: where each tile starts, and which part of the side is taken from it."""
    if length <= TILE_PX:
        return [(0, slice(0, length))]
    count = int(np.ceil((length - OVERLAP_PX) / (TILE_PX - OVERLAP_PX)))
    starts = [round(k * (length - TILE_PX) / (count - 1)) for k in range(count)]
    cuts = [0, *((a + TILE_PX + b) // 2 for a, b in zip(starts, starts[1:], strict=False)), length]
    return [(start, slice(low, high)) for start, low, high in zip(starts, cuts, cuts[1:], strict=False)]


def _tile(image: RGBImage, top: int, left: int) -> RGBImage:
    """Cut a tile; beyond the image lies glass. (Its mirror image makes whole nuclei of those that the border cuts.)"""
    part = image[top : top + TILE_PX, left : left + TILE_PX]
    if part.shape[:2] == (TILE_PX, TILE_PX):
        return np.ascontiguousarray(part)
    tile = np.full((TILE_PX, TILE_PX, 3), int(WHITE_LEVEL), np.uint8)
    tile[: part.shape[0], : part.shape[1]] = part
    return tile
