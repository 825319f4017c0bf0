"""Outlines of nuclei around their seeds, and what lies inside them."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.types import DensityMap, Heatmap

Floats = npt.NDArray[np.float32]

CORNERS = 16
"""Corners of an outline."""

MIN_RADIUS_PX, MAX_RADIUS_PX = 3.0, 14.0
"""At 0.5 um/px: nuclei have radii of 1.5 to 7 um."""

STEP_PX = 0.5
INSIDE_LIMIT = 0.5
"""Probability from which a pixel belongs to a nucleus."""

CORE_SHARE = 0.5
"""Without a probability, a nucleus ends where the density falls below this share of its core's over the background."""

RINGS, INNER_SHARE = 5, 0.85
"""Circles on which the inside of an outline is sampled, and how far out: the optics mix its rim with what is beside it.

On simulated nuclei the mean is 0.9 of the truth when taken up to the outline, and 1.0 up to this share of the way.
"""

_ANGLES = np.arange(CORNERS, dtype=np.float32) * np.float32(2 * np.pi / CORNERS)
_RAYS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)  # (16, 2), clockwise on the screen: y points down


@dataclass(frozen=True)
class Outlined:
    """Nuclei with an outline, one row a seed.

    Attributes:
        polygons: (N, 16, 2) float32, x and y in pixels of the block.
        area: (N,) float32 in pixels.
    """

    polygons: Floats
    area: Floats


def outline(centres: Floats, density: DensityMap, inside: Heatmap | None) -> Outlined:
    """Draw the outline of every nucleus: along rays from its seed to the end of the nucleus or to the next one.

    Args:
        centres: (N, 2) x and y in pixels at 0.5 um/px.
        density: (H, W) hematoxylin plus DAB.
        inside: (H, W) probability that a pixel belongs to a nucleus, or None.
    """
    if not len(centres):
        return Outlined(np.zeros((0, CORNERS, 2), np.float32), np.zeros(0, np.float32))
    owner = _owners(centres, density.shape)
    nucleus = inside > INSIDE_LIMIT if inside is not None else _dense(centres, density, owner)
    labels = np.where(nucleus, owner, -1).astype(np.int32)
    radii = _radii(centres, labels)
    polygons = centres[:, None] + radii[..., None] * _RAYS
    return Outlined(polygons, polygon_area(polygons))


def means(values: DensityMap, centres: Floats, polygons: Floats) -> Floats:
    """Return the mean of a map inside every outline but for its rim, (N,)."""
    rings = np.sqrt((np.arange(RINGS, dtype=np.float32) + 0.5) / RINGS)  # each stands for the same area
    arms = np.float32(INNER_SHARE) * (polygons - centres[:, None])  # (N, 16, 2)
    points = centres[:, None, None] + rings[None, :, None, None] * arms[:, None]  # (N, 5, 16, 2)
    rays = sampled(values, points.reshape(len(centres), RINGS * CORNERS, 2)).reshape(len(centres), RINGS, CORNERS)
    weights = (arms**2).sum(axis=2)  # (N, 16)
    return np.asarray((rays.mean(axis=1) * weights).sum(axis=1) / weights.sum(axis=1), np.float32)


def sampled(values: DensityMap, points: Floats) -> Floats:
    """Return a map at (N, K, 2) points, (N, K), linearly interpolated."""
    if not len(points):
        return np.zeros(points.shape[:2], np.float32)
    parts = [
        cv2.remap(values, part[..., 0], part[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for part in np.array_split(np.ascontiguousarray(points, np.float32), 1 + len(points) // 30_000)
    ]
    return np.asarray(np.concatenate(parts), np.float32)


def polygon_area(polygons: Floats) -> Floats:
    """Return the areas of (N, K, 2) polygons, (N,)."""
    x, y = polygons[..., 0], polygons[..., 1]
    doubled = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
    return np.asarray(np.abs(doubled) / 2, np.float32)


def _owners(centres: Floats, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Return which seed is nearest to each pixel, (H, W) int32 row numbers."""
    canvas = np.full(shape, 255, np.uint8)
    x, y = np.clip(np.round(centres).astype(np.intp).T, 0, [[shape[1] - 1], [shape[0] - 1]])
    canvas[y, x] = 0
    _, areas = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    row_of_area = np.zeros(int(areas.max()) + 1, np.int32)
    row_of_area[areas[y, x]] = np.arange(len(centres))
    return np.asarray(row_of_area[areas], np.int32)


def _dense(centres: Floats, density: DensityMap, owner: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Return where the density is nearer to that of the nucleus' core than to its background, (H, W) bool."""
    smooth = cv2.GaussianBlur(density, (0, 0), 1.0)
    core = sampled(cv2.GaussianBlur(density, (0, 0), 2.0), centres[:, None])[:, 0]
    small = cv2.erode(cv2.GaussianBlur(density, (0, 0), 2.0), np.ones((33, 33), np.uint8))
    background = sampled(cv2.GaussianBlur(small, (0, 0), 8.0), centres[:, None])[:, 0]
    limit = background + CORE_SHARE * np.maximum(core - background, 0)
    return np.asarray(smooth > limit.astype(np.float32)[owner], np.bool_)


def _radii(centres: Floats, labels: npt.NDArray[np.int32]) -> Floats:
    """Return how far each nucleus reaches along each ray, (N, 16), smoothed along the outline."""
    steps = np.arange(STEP_PX, MAX_RADIUS_PX + STEP_PX, STEP_PX, dtype=np.float32)
    height, width = labels.shape
    rows = np.arange(len(centres), dtype=np.int32)[:, None]
    reach = np.zeros((len(centres), CORNERS), np.float32)
    still = np.ones(reach.shape, np.bool_)
    for step in steps:
        points = centres[:, None] + step * _RAYS
        x = np.clip(np.round(points[..., 0]).astype(np.intp), 0, width - 1)
        y = np.clip(np.round(points[..., 1]).astype(np.intp), 0, height - 1)
        still &= (labels[y, x] == rows) | (step < MIN_RADIUS_PX)
        reach[still] = step
    stacked = np.stack([np.roll(reach, shift, axis=1) for shift in (-1, 0, 1)])
    smooth = np.median(stacked, axis=0)
    smooth = 0.5 * smooth + 0.25 * (np.roll(smooth, 1, axis=1) + np.roll(smooth, -1, axis=1))
    return np.asarray(np.clip(smooth, MIN_RADIUS_PX, MAX_RADIUS_PX), np.float32)
