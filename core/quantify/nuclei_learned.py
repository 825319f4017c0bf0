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


@dataclass(frozen=True)
class Limits:
    """From which height a peak is a nucleus.

    Attributes:
        positive, negative: least height of a peak, in [0, 1].
        distance: least distance of two nuclei of one kind, in pixels at 0.5 um/px.
        exclusion: a stained and an unstained nucleus closer than this are one; the clearer of them stays.
    """

    positive: float
    negative: float
    distance: int = 4
    exclusion: float = 6.0


LIMITS: dict[OperatingPoint, Limits] = {
    OperatingPoint.BEST_F1: Limits(0.35, 0.35),
    OperatingPoint.LEAST_BIAS: Limits(0.35, 0.35),
}
"""Of the bundled weights, as in their manifest; for weights that come without any."""


def read_limits(extras: Mapping[str, Any]) -> dict[OperatingPoint, Limits]:
    """Return the limits that came with the weights (table `limits` of the manifest), or the usual ones."""
    table = extras.get("limits", {})
    return {
        point: Limits(**{key: table.get(f"{name}_{key}", getattr(LIMITS[point], key)) for key in _KEYS})
        for point, name in ((OperatingPoint.BEST_F1, "best_f1"), (OperatingPoint.LEAST_BIAS, "least_bias"))
    }


_KEYS = ("positive", "negative", "distance", "exclusion")


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
    """Return the nuclei that the peaks of these maps are."""
    positive, negative = (
        peaks(heat, least, limits.distance) for heat, least in ((maps[0], limits.positive), (maps[1], limits.negative))
    )
    clear_positive, clear_negative = (
        _heights(maps[k], points) / least
        for k, (points, least) in enumerate(((positive, limits.positive), (negative, limits.negative)))
    )
    if len(positive) and len(negative):
        keep_positive = ~_beaten(positive, clear_positive, negative, clear_negative, limits.exclusion)
        keep_negative = ~_beaten(negative, clear_negative, positive, clear_positive, limits.exclusion, ties=True)
        positive, negative = positive[keep_positive], negative[keep_negative]
    centres = np.concatenate([positive, negative]).astype(np.float32)
    return Seeds(
        centres=centres,
        positive=np.arange(len(centres)) < len(positive),
        confidence=np.concatenate([_heights(maps[0], positive), _heights(maps[1], negative)]),
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


def _beaten(
    points: Floats, clearness: Floats, others: Floats, others_clearness: Floats, radius: float, *, ties: bool = False
) -> npt.NDArray[np.bool_]:
    """Return which points have a clearer one of the other kind nearby, (N,) bool."""
    beaten = np.zeros(len(points), bool)
    for row, near in enumerate(cKDTree(others).query_ball_point(points, radius)):
        if near:
            best = others_clearness[near].max()
            beaten[row] = best >= clearness[row] if ties else best > clearness[row]
    return beaten


def _heights(heat: Heatmap, points: Floats) -> Floats:
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
    """Cut a tile; beyond the image lies glass."""
    part = image[top : top + TILE_PX, left : left + TILE_PX]
    if part.shape[:2] == (TILE_PX, TILE_PX):
        return np.ascontiguousarray(part)
    tile = np.full((TILE_PX, TILE_PX, 3), int(WHITE_LEVEL), np.uint8)
    tile[: part.shape[0], : part.shape[1]] = part
    return tile
