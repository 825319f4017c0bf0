"""Virtual staining of whole images: overlapping tiles, evened out and blended, so that no seam shows."""

from math import ceil

import numpy as np
import numpy.typing as npt

from core.inference.engine import Engine
from core.types import Progress, RGBImage, no_progress

TILE_PX = 256
OVERLAP_PX = 64

BLANK_RANGE = 12.0
"""Gray levels between the 1st and 99th percentile below which a tile is empty glass."""

MAX_SHIFT = 24.0
"""Largest brightness correction of one tile, in gray levels."""

_Starts = list[int]
_Patches = dict[tuple[int, int], RGBImage]


def stain_image(engine: Engine, image: RGBImage, progress: Progress = no_progress) -> RGBImage:
    """Stain an H&E image of any size virtually.

    The generator's instance norm sees one tile at a time, so the same tissue comes out a little brighter or darker
    beside different neighbours: every tile gets the shift per channel with which the overlaps agree best. Empty
    tiles are passed on as they are, because instance norm would blow their noise up to a pattern.

    Args:
        image: (H, W, 3) uint8 RGB at the scale of the generator's card (1.0 um per pixel).
    Returns:
        (H, W, 3) uint8 RGB, virtual IHC. An image of 256 x 256 pixels is exactly one pass.
    Raises:
        ModelUnavailableError: the weights are missing or unusable.
        CancelledError: raised by `progress`.
    """
    height, width = image.shape[:2]
    padding = ((0, max(0, TILE_PX - height)), (0, max(0, TILE_PX - width)), (0, 0))
    padded = np.pad(image, padding, mode="symmetric") if any(after for _, after in padding) else image
    tops, lefts = _starts(padded.shape[0]), _starts(padded.shape[1])
    patches: _Patches = {}
    for top in tops:
        for left in lefts:
            progress("staining virtually", len(patches), len(tops) * len(lefts))
            patches[top, left] = _stain_tile(engine, padded[top : top + TILE_PX, left : left + TILE_PX])
    progress("staining virtually", len(patches), len(patches))
    stained = patches[0, 0] if len(patches) == 1 else _blend(patches, padded.shape[:2])
    return np.ascontiguousarray(stained[:height, :width])


def _starts(length: int) -> _Starts:
    count = 1 + ceil((length - TILE_PX) / (TILE_PX - OVERLAP_PX))
    return [round(index * (length - TILE_PX) / max(1, count - 1)) for index in range(count)]


def _stain_tile(engine: Engine, tile: RGBImage) -> RGBImage:
    low, high = np.percentile(tile[::4, ::4].mean(axis=2), (1, 99))
    return tile if high - low < BLANK_RANGE else engine.stain(tile[None])[0]


def _blend(patches: _Patches, size: tuple[int, ...]) -> RGBImage:
    corners = list(patches)
    shifts = _shifts(patches)
    total = np.zeros((*size, 3), np.float32)
    weight = np.zeros((*size, 1), np.float32)
    # Falls to almost nothing at the rim: a pixel there has half a neighbourhood, and the next tile knows it better.
    ramp = np.minimum(np.arange(TILE_PX) + 1, np.arange(TILE_PX, 0, -1)).clip(max=OVERLAP_PX).astype(np.float32)
    window = np.outer(ramp, ramp)[..., None] / OVERLAP_PX**2
    for (top, left), shift in zip(corners, shifts, strict=True):
        region = np.s_[top : top + TILE_PX, left : left + TILE_PX]
        total[region] += (patches[top, left] + shift) * window
        weight[region] += window
    blended: RGBImage = np.clip(np.rint(total / weight), 0, 255).astype(np.uint8)
    return blended


def _shifts(patches: _Patches) -> npt.NDArray[np.float32]:
    """Return the (N, 3) shift per tile and channel with which neighbours agree best, as small as possible.

    Least squares over all pairs that overlap: shift_i - shift_j = mean_j - mean_i over the overlap, weighted by its
    area; a weak pull towards zero keeps the whole image where the network put it.
    """
    corners = list(patches)
    matrix = np.eye(len(corners)) * 0.1
    right = np.zeros((len(corners), 3))
    for i, first in enumerate(corners):
        for j in range(i + 1, len(corners)):
            difference = _difference(patches, first, corners[j])
            if difference is None:
                continue
            gap, area = difference
            matrix[[i, j], [i, j]] += area
            matrix[[i, j], [j, i]] -= area
            right[i] += area * gap
            right[j] -= area * gap
    shifts = np.linalg.solve(matrix, right)
    return np.asarray(np.clip(shifts, -MAX_SHIFT, MAX_SHIFT), dtype=np.float32)


def _difference(
    patches: _Patches, first: tuple[int, int], second: tuple[int, int]
) -> tuple[npt.NDArray[np.float64], float] | None:
    """Return second minus first over their overlap, per channel, and the overlap's share of a tile."""
    down, across = second[0] - first[0], second[1] - first[1]
    if abs(down) >= TILE_PX or abs(across) >= TILE_PX:
        return None
    a = patches[first][max(0, down) : TILE_PX + min(0, down), max(0, across) : TILE_PX + min(0, across)]
    b = patches[second][max(0, -down) : TILE_PX + min(0, -down), max(0, -across) : TILE_PX + min(0, -across)]
    gap = b.mean(axis=(0, 1), dtype=np.float64) - a.mean(axis=(0, 1), dtype=np.float64)
    return gap, a.shape[0] * a.shape[1] / TILE_PX**2
