"""Regions drawn on an image: checking what was drawn, and which nuclei lie in it."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from core.errors import InvalidOptionError
from core.types import Nuclei, Region

MAX_CORNERS = 2000
"""A hand-drawn line has fewer; checking for crossings takes the square of it."""

MIN_AREA_PX = 1.0

Points = npt.NDArray[np.float64]
"""(N, 2) x and y in pixels of the upload."""


def selected(nuclei: Nuclei, regions: Sequence[Region]) -> npt.NDArray[np.bool_]:
    """Tell which nuclei count: centred in any drawn region (everywhere if none), and in no excluded one.

    Args:
        regions: corners counted from the top left corner of the image, which reaches from 0 to its width.
    Returns:
        (N,) bool.
    """
    # Centres are counted from the middle of the first pixel, regions from the corner of the image.
    centres = nuclei.centres.astype(np.float64) + 0.5
    wanted = [region for region in regions if not region.exclude]
    chosen = np.full(len(centres), not wanted)
    for region in wanted:
        chosen |= inside(centres, np.asarray(region.points, np.float64))
    for region in regions:
        if region.exclude:
            chosen &= ~inside(centres, np.asarray(region.points, np.float64))
    return chosen


def inside(points: Points, corners: Points) -> npt.NDArray[np.bool_]:
    """Tell which of (N, 2) points lie in the closed polygon of (M, 2) corners, by the even-odd rule.

    Every edge looks only at the points between its ends, so that long outlines over many points stay quick.
    """
    order = np.argsort(points[:, 1])
    x, y = points[order].T
    starts, ends = corners, np.roll(corners, -1, axis=0)
    low, high = np.minimum(starts[:, 1], ends[:, 1]), np.maximum(starts[:, 1], ends[:, 1])
    first, last = np.searchsorted(y, low), np.searchsorted(y, high)
    odd = np.zeros(len(points), np.bool_)
    for edge in np.flatnonzero(last > first):
        part = slice(first[edge], last[edge])
        (x0, y0), (x1, y1) = starts[edge], ends[edge]
        odd[part] ^= x[part] < x0 + (y[part] - y0) * (x1 - x0) / (y1 - y0)
    found = np.empty_like(odd)
    found[order] = odd
    return found


def checked_region(points: Iterable[Sequence[float]], size: tuple[int, int], exclude: bool = False) -> Region:
    """Return a drawn polygon as a region of the image; what lies beyond the image is cut off.

    Args:
        points: corners (x, y) in pixels of the upload; a repeated first corner at the end is fine.
        size: (width, height) of the upload.
    Raises:
        InvalidOptionError: no closed area of this image, in the user's words.
    """
    corners = _corners(points)
    if _crosses_itself(corners):
        raise InvalidOptionError("The outline of the region crosses itself. Draw it again as one simple loop.")
    if area(corners) < MIN_AREA_PX:
        raise InvalidOptionError("The region has no area: its corners lie on one line. Draw a loop around the tissue.")
    clipped = _clipped(corners, size)
    if len(clipped) < 3 or area(clipped) < MIN_AREA_PX:
        raise InvalidOptionError(
            f"The region lies outside the image, which is {size[0]} x {size[1]} pixels. Draw it on the image."
        )
    return Region(tuple((float(x), float(y)) for x, y in clipped), exclude)


def area(corners: Points) -> float:
    """Return the area of a closed polygon of (M, 2) corners, in square pixels."""
    x, y = corners.T
    return 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def corner_pairs(points: Iterable[Sequence[float]]) -> list[tuple[float, float]]:
    """Return corners as pairs of numbers.

    Raises:
        InvalidOptionError: one is something else.
    """
    try:
        return [(float(x), float(y)) for x, y in points]
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidOptionError("A corner of the region is not a pair of numbers (x, y) in pixels.") from error


def _corners(points: Iterable[Sequence[float]]) -> Points:
    """Return (M, 2) corners, none of them twice in a row."""
    corners = np.array(corner_pairs(points), np.float64).reshape(-1, 2)
    if not np.isfinite(corners).all() or (np.abs(corners) > 1e9).any():
        raise InvalidOptionError("A corner of the region is not a place on the image. Draw the region again.")
    if len(corners) > MAX_CORNERS:
        raise InvalidOptionError(
            f"The region has {len(corners)} corners; at most {MAX_CORNERS} are possible. Draw it more coarsely."
        )
    if len(corners):
        corners = corners[(corners != np.roll(corners, -1, axis=0)).any(axis=1)]
    if len(corners) < 3:
        raise InvalidOptionError(
            f"The region has {len(corners)} different corners; at least 3 are needed. Draw a loop around the tissue."
        )
    return corners


def _crosses_itself(corners: Points) -> bool:
    """Tell whether two edges of a closed polygon cross; touching is no crossing."""
    starts, ends = corners, np.roll(corners, -1, axis=0)
    for edge in range(len(corners) - 2):
        start, end = starts[edge], ends[edge]
        others, their_ends = starts[edge + 2 :], ends[edge + 2 :]
        apart = _side(start, end, others) * _side(start, end, their_ends) < 0
        apart &= _side(others, their_ends, start) * _side(others, their_ends, end) < 0
        if apart.any():
            return True
    return False


def _side(start: Points, end: Points, point: Points) -> npt.NDArray[np.float64]:
    """Return on which side of a directed line a point lies, as a sign (0 on it)."""
    along, towards = end - start, point - start
    return np.asarray(np.sign(along[..., 0] * towards[..., 1] - along[..., 1] * towards[..., 0]), np.float64)


def _clipped(corners: Points, size: tuple[int, int]) -> Points:
    """Cut a polygon at the edges of the image, one after the other.

    Source: Sutherland and Hodgman 1974, Commun ACM 17:32.
    """
    for axis in (0, 1):
        for limit, sign in ((0.0, 1.0), (float(size[axis]), -1.0)):
            corners = _cut(corners, axis, limit, sign)
    return corners


def _cut(corners: Points, axis: int, limit: float, sign: float) -> Points:
    """Keep the part of a polygon where `sign` times the coordinate lies beyond `sign` times the limit."""
    kept: list[Points] = []
    for corner, following in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        here, there = sign * (corner[axis] - limit), sign * (following[axis] - limit)
        if here >= 0:
            kept.append(corner)
        if (here > 0 > there) or (here < 0 < there):
            kept.append(corner + (following - corner) * here / (here - there))
    return np.array(kept, np.float64).reshape(-1, 2)
