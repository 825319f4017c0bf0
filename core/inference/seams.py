"""Whether the tiles that a picture was stained in can be seen in it."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from core.inference.tile_blending import OVERLAP_PX, TILE_PX, starts
from core.types import RGBImage

SEGMENT_PX = 32
"""A seam runs straight: brightness is averaged along such pieces, which texture survives less than a seam does."""

REACHES_PX = (2, 16)
"""Pixels averaged on either side: a sharp step, and one that was faded but is still there."""

RIM_PX = 16
"""Too near the edge of the picture there is nothing to compare with."""

_Steps = npt.NDArray[np.float32]


def seam_index(image: RGBImage, *, overlap: int = OVERLAP_PX) -> float | None:
    """Return how much larger the steps of brightness along tile borders are than those inside tiles.

    Along every border, and along every other row and column, the mean brightness of two neighbouring strips is
    compared, piece by piece; the index is the mean step at the borders over the mean step elsewhere, once for strips of
    2 px and once for strips of 16 px, whichever is larger. 1 is what tissue without seams has.

    Args:
        image: (H, W, 3) uint8 RGB as `core.inference.virtual_staining.stain_image` returned it.
        overlap: of the tiles it was made of; 0 for tiles put side by side, for comparison.
    Returns:
        None where the picture is a single tile.
    """
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    found = []
    for reach in REACHES_PX:
        at_borders: list[_Steps] = []
        inside: list[_Steps] = []
        for plane in (gray, gray.T):
            borders = _borders(plane.shape[1], overlap)
            steps = _steps(plane, reach)
            usable = np.zeros(plane.shape[1], bool)
            usable[RIM_PX : plane.shape[1] - RIM_PX] = True
            near = np.zeros_like(usable)
            for border in borders:
                near[max(0, border - reach) : border + reach + 1] = True
            at_borders.append(steps[:, [each for each in borders if usable[each]]].ravel())
            inside.append(steps[:, usable & ~near].ravel())
        seams, elsewhere = np.concatenate(at_borders), np.concatenate(inside)
        if seams.size and elsewhere.size:
            # Empty glass has no steps at all, and no seams.
            found.append(float(seams.mean() / elsewhere.mean()) if elsewhere.mean() > 0 else 1.0)
    return max(found) if found else None


def _borders(length: int, overlap: int) -> Sequence[int]:
    """Return where a tile begins or ends inside a side, and where two that overlap are equally strong."""
    if overlap == 0:
        return range(TILE_PX, length, TILE_PX)
    if length <= TILE_PX:
        return ()
    places = starts(length)
    edges = {*places[1:], *(place + TILE_PX for place in places[:-1])}
    middles = {(second + first + TILE_PX) // 2 for first, second in zip(places, places[1:], strict=False)}
    return sorted(edges | middles)


def _steps(gray: npt.NDArray[np.uint8], reach: int) -> _Steps:
    """Return the step between the strips left and right of every column, (pieces, W); 0 at the rim."""
    height, width = gray.shape
    pieces = np.linspace(0, height, max(1, height // SEGMENT_PX) + 1).astype(int)
    lines = np.stack([gray[start:end].mean(axis=0) for start, end in zip(pieces, pieces[1:], strict=False)])
    summed = np.cumsum(np.pad(lines, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    steps: _Steps = np.zeros((len(lines), width), np.float32)
    if width > 2 * reach:
        strips = (summed[:, reach:] - summed[:, :-reach]) / reach  # strips[x] begins at x
        steps[:, reach : width - reach + 1] = np.abs(strips[:, reach:] - strips[:, :-reach])
    return steps
