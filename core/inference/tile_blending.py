"""Overlapping tiles become one picture, band by band: shifts that even them out, and weights that fade them."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from core.types import RGBImage

TILE_PX = 256
OVERLAP_PX = 64

MAX_SHIFT = 24.0
"""Largest brightness correction of one tile, in gray levels."""

PULL = 0.1
"""Pull of every shift towards zero, beside an overlap of a whole tile: the image stays where the network put it."""

Corner = tuple[int, int]
"""Row and column of a tile in its grid."""


def starts(length: int) -> list[int]:
    """Return where tiles begin along a side of at least 256 pixels: evenly, overlapping by 64 pixels or more."""
    count = 1 + ceil((length - TILE_PX) / (TILE_PX - OVERLAP_PX))
    return [round(index * (length - TILE_PX) / max(1, count - 1)) for index in range(count)]


class Blend:
    """Takes tiles in the order of their rows and keeps no more of them than their neighbours need.

    The blend of shifted tiles is the blend of the tiles plus the blend of their shifts. So the tiles are blended as
    they come, and what the shifts add follows at the end, when all overlaps are known; in between the blend is rounded
    to whole gray levels, which moves a pixel by one level at most.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        """Make room for a picture.

        Args:
            size: (height, width) in pixels, each at least `TILE_PX`.
        """
        self.tops, self.lefts = starts(size[0]), starts(size[1])
        self._down, self._across = _weights(self.tops, size[0]), _weights(self.lefts, size[1])
        self._picture: RGBImage = np.zeros((*size, 3), np.uint8)
        self._band = np.zeros((TILE_PX, size[1], 3), np.float32)
        self._row = 0
        self._near: dict[Corner, RGBImage] = {}
        self._overlaps = _Overlaps(len(self.lefts), len(self.tops) * len(self.lefts))

    def add(self, row: int, column: int, patch: RGBImage) -> None:
        """Blend the next tile in; rows in order, and the columns of a row in order.

        Args:
            patch: (256, 256, 3) uint8 RGB.
        """
        while self._row < row:
            self._next_row()
        corner, top, left = (row, column), self.tops[row], self.lefts[column]
        for other, known in self._near.items():
            difference = _difference(known, patch, top - self.tops[other[0]], left - self.lefts[other[1]])
            if difference is not None:
                self._overlaps.note(other, corner, *difference)
        self._near[corner] = patch
        weight = np.outer(self._down[row], self._across[column])[..., None]
        self._band[:, left : left + TILE_PX] += patch * weight

    def finish(self) -> RGBImage:
        """Return the picture, evened out, once all tiles are in; (H, W, 3) uint8 RGB."""
        while self._row < len(self.tops):
            self._next_row()
        shifts = self._overlaps.shifts().reshape(len(self.tops), len(self.lefts), 3)
        if not shifts.any():
            return self._picture
        width = self._picture.shape[1]
        along = _spread(self._across, self.lefts, width)  # (columns of tiles, W)
        down = _spread(self._down, self.tops, self._picture.shape[0])
        for y in range(0, self._picture.shape[0], TILE_PX):
            band = self._picture[y : y + TILE_PX]
            for channel in range(3):
                added = (down[:, y : y + TILE_PX].T @ shifts[..., channel]) @ along
                band[..., channel] = np.clip(np.rint(band[..., channel] + added), 0, 255)
        return self._picture

    def _next_row(self) -> None:
        """Write out the rows that no later tile touches, and forget the tiles that no later one overlaps."""
        top, self._row = self.tops[self._row], self._row + 1
        done = (self.tops[self._row] if self._row < len(self.tops) else top + TILE_PX) - top
        self._picture[top : top + done] = np.clip(np.rint(self._band[:done]), 0, 255)
        self._band[: TILE_PX - done] = self._band[done:]
        self._band[TILE_PX - done :] = 0
        reach = top + done - TILE_PX
        self._near = {corner: patch for corner, patch in self._near.items() if self.tops[corner[0]] > reach}


class _Overlaps:
    """How much neighbours differ where they overlap, and the shifts with which they agree best."""

    def __init__(self, columns: int, tiles: int) -> None:
        self._columns, self._tiles = columns, tiles
        self._first: list[int] = []
        self._second: list[int] = []
        self._gaps: list[npt.NDArray[np.float64]] = []
        self._areas: list[float] = []

    def note(self, first: Corner, second: Corner, gap: npt.NDArray[np.float64], area: float) -> None:
        """Note second minus first, per channel, and the overlap's share of a tile."""
        self._first.append(first[0] * self._columns + first[1])
        self._second.append(second[0] * self._columns + second[1])
        self._gaps.append(gap)
        self._areas.append(area)

    def shifts(self) -> npt.NDArray[np.float32]:
        """Return the (N, 3) shift per tile and channel with which neighbours agree best, as small as possible.

        Least squares over all pairs that overlap: shift_i - shift_j = mean_j - mean_i over the overlap, weighted by its
        area; a weak pull towards zero keeps the whole image where the network put it.
        """
        if not self._gaps:
            return np.zeros((self._tiles, 3), np.float32)
        i, j, area = np.array(self._first), np.array(self._second), np.array(self._areas)
        own, every = np.full(self._tiles, PULL), np.arange(self._tiles)
        places = (np.concatenate([every, i, j, i, j]), np.concatenate([every, i, j, j, i]))
        matrix = coo_array((np.concatenate([own, area, area, -area, -area]), places), (self._tiles, self._tiles))
        weighted = area[:, None] * np.array(self._gaps)
        right = np.zeros((self._tiles, 3))
        np.add.at(right, i, weighted)
        np.add.at(right, j, -weighted)
        found = spsolve(matrix.tocsc(), right)
        return np.asarray(np.clip(found, -MAX_SHIFT, MAX_SHIFT), dtype=np.float32)


def _weights(places: Sequence[int], length: int) -> npt.NDArray[np.float32]:
    """Return each tile's share along one side, (N, 256); the shares of the tiles over a pixel sum to 1."""
    # Falls to almost nothing at the rim: a pixel there has half a neighbourhood, and the next tile knows it better.
    ramp = np.minimum(np.arange(TILE_PX) + 1, np.arange(TILE_PX, 0, -1)).clip(max=OVERLAP_PX).astype(np.float32)
    total = np.zeros(length, np.float32)
    for place in places:
        total[place : place + TILE_PX] += ramp
    return np.stack([ramp / total[place : place + TILE_PX] for place in places])


def _spread(weights: npt.NDArray[np.float32], places: Sequence[int], length: int) -> npt.NDArray[np.float32]:
    """Return the shares of `_weights` at their places along the whole side, (N, length)."""
    spread = np.zeros((len(places), length), np.float32)
    for row, place in enumerate(places):
        spread[row, place : place + TILE_PX] = weights[row]
    return spread


def _difference(
    first: RGBImage, second: RGBImage, down: int, across: int
) -> tuple[npt.NDArray[np.float64], float] | None:
    """Return second minus first over their overlap, per channel, and the overlap's share of a tile.

    Args:
        down, across: from the corner of the first to that of the second.
    """
    if abs(down) >= TILE_PX or abs(across) >= TILE_PX:
        return None
    a = first[max(0, down) : TILE_PX + min(0, down), max(0, across) : TILE_PX + min(0, across)]
    b = second[max(0, -down) : TILE_PX + min(0, -down), max(0, -across) : TILE_PX + min(0, -across)]
    gap = b.mean(axis=(0, 1), dtype=np.float64) - a.mean(axis=(0, 1), dtype=np.float64)
    return gap, a.shape[0] * a.shape[1] / TILE_PX**2
