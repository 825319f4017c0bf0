"""Where a nuclear stain is strongest: the circle with the largest share of stained nuclei."""

import numpy as np
import numpy.typing as npt

from core.types import HotSpot

AREA_MM2 = 0.16
"""Area of the circle: about one field of view at 400 x."""

LARGEST_SHARE_OF_SIDE = 0.35
"""On small images the radius is this share of their shorter side: the circle is then two fifths of the image."""

MIN_NUCLEI = 100
"""Nuclei in a hot spot; with fewer, chance alone makes one."""

_STEPS = 8
"""Places that are tried along one radius, before the best one is sought nucleus by nucleus."""

Points = npt.NDArray[np.float32]


def find_hot_spot(centres: Points, stained: npt.NDArray[np.bool_], mpp: float) -> HotSpot | None:
    """Find the circle with the largest share of stained nuclei.

    Circles around every nucleus compete, moved inwards where they would reach beyond the field.

    Args:
        centres: (N, 2) x and y in pixels, of the nuclei that count.
        stained: (N,) bool.
        mpp: micrometres per pixel.
    Returns:
        None where nothing is stained, or no circle that is clearly smaller than the field holds nuclei enough.
    """
    if len(centres) < MIN_NUCLEI or not stained.any():
        return None
    from scipy.spatial import cKDTree  # imported here: the history reads scores and must start quickly

    low, high = centres.min(axis=0), centres.max(axis=0)
    radius = min(1000 * float(np.sqrt(AREA_MM2 / np.pi)) / mpp, LARGEST_SHARE_OF_SIDE * float((high - low).min()))
    if radius < 1:
        return None
    everything, stains = cKDTree(centres), cKDTree(centres[stained])

    def best(places: Points) -> HotSpot | None:
        """Return the circle with the largest share among those with nuclei enough."""
        counted = everything.query_ball_point(places, radius, return_length=True)
        enough = counted >= MIN_NUCLEI
        if not enough.any():
            return None
        places, counted = places[enough], counted[enough]
        share = stains.query_ball_point(places, radius, return_length=True) / counted
        row = int(share.argmax())
        x, y = (float(value) for value in places[row])
        return HotSpot(x, y, radius, percent=100 * float(share[row]), counted=int(counted[row]))

    # A circle that reached beyond the field would be a smaller one.
    places = np.clip(centres, low + radius, high - radius)
    coarse = best(places[_spread(places, radius / _STEPS)])
    if coarse is None:
        return None
    near = np.hypot(*(places - (coarse.x, coarse.y)).T) <= 2 * radius / _STEPS
    fine = best(places[near])
    return max((found for found in (coarse, fine) if found), key=lambda found: found.percent)


def _spread(places: Points, step: float) -> npt.NDArray[np.intp]:
    """Return the rows of one place in each square of side `step` that has any."""
    squares = np.floor(places / step).astype(np.int64)
    return np.unique(squares[:, 1] * (1 << 32) + squares[:, 0], return_index=True)[1]
