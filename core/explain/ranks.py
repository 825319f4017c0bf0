"""How alike two heat maps are, by the order in which they mark places: their scales mean nothing to each other."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

TOP_SHARE = 0.2
"""What counts as the most strongly marked part of a map; chance puts this share of it into another map's part."""


def rank_correlation(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float | None:
    """Return Spearman's rank correlation of the cells of two maps, in [-1, 1]; None where one is the same all over."""
    ranks = [rankdata(values) for values in (first, second)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return None
    return float(np.corrcoef(*ranks)[0, 1])


def top_overlap(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float | None:
    """Return which share of the most strongly marked cells two maps have in common; None where one marks nothing.

    A map that marks fewer cells than `TOP_SHARE` counts with those; the share is of the smaller part.
    """
    tops = [_top(values) for values in (first, second)]
    smaller = min(len(top) for top in tops)
    return len(tops[0] & tops[1]) / smaller if smaller else None


def _top(values: npt.NDArray[np.float32]) -> set[int]:
    count = min(round(TOP_SHARE * len(values)), int((values > 0).sum()))
    return {int(cell) for cell in np.argsort(-values, kind="stable")[:count]}
