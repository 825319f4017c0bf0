"""How much a share would differ on other fields of the same section: percentile bootstrap over fields.

Cells of one field resemble each other, so fields are drawn anew and not cells (Efron and Tibshirani 1993, chapter 13).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.types import Interval

FIELD_UM, LEAST_FIELD_UM, FIELDS_A_SIDE = 250.0, 60.0, 4
"""A field is 250 um wide; on small images a quarter of their side, but never less than five cells or so."""

REPLICATES = 1000
COVERAGE_PERCENT = 95.0


def interval(
    numerators: npt.NDArray[np.floating], denominators: npt.NDArray[np.floating], value: float, seed: int = 0
) -> Interval:
    """Return a ratio of sums with its 95 % interval over fields; the same input gives the same interval.

    Args:
        numerators, denominators: (F,) per field, in the unit of `value` (100 times the stained nuclei, and the nuclei);
            draws without any denominator are left out.
        value: the figure itself, over all fields.
    """
    if len(denominators) < 2:
        return Interval(value, value, value)
    times = _draws(len(denominators), seed)
    above, below = times @ np.asarray(numerators, np.float64), times @ np.asarray(denominators, np.float64)
    drawn = below > 0
    if not drawn.any():
        return Interval(value, value, value)
    tail = (100.0 - COVERAGE_PERCENT) / 2
    low, high = np.percentile(above[drawn] / below[drawn], (tail, 100.0 - tail))
    return Interval(value, min(float(low), value), max(float(high), value))


def fields_of(centres: npt.NDArray[np.floating], mpp: float) -> npt.NDArray[np.intp]:
    """Divide cells into square fields; return the (N,) field of each, counted from 0 without gaps.

    Args:
        centres: (N, 2) x and y in pixels.
        mpp: micrometres per pixel.
    """
    if not len(centres):
        return np.zeros(0, np.intp)
    places = (np.asarray(centres, np.float64) - np.min(centres, axis=0)) * mpp
    extent = places.max(axis=0)
    side = float(np.clip(extent.max() / FIELDS_A_SIDE, LEAST_FIELD_UM, FIELD_UM))
    counts = np.maximum(1, np.round(extent / side))
    columns, rows = np.minimum(places * (counts / np.maximum(extent, 1e-9)), counts - 1).astype(np.intp).T
    _, field = np.unique(rows * int(counts[0]) + columns, return_inverse=True)
    return np.asarray(field, np.intp)


def sums_by_field(values: npt.NDArray[np.generic], fields: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Add up (N,) values of cells over their fields: (F,)."""
    return np.asarray(np.bincount(fields, np.asarray(values, np.float64)), np.float64)


@lru_cache(maxsize=4)
def _draws(fields: int, seed: int) -> npt.NDArray[np.float64]:
    """How often each field was drawn: (REPLICATES, fields), each row summing to `fields`."""
    rng = np.random.default_rng([seed, fields])
    picked = rng.integers(0, fields, (REPLICATES, fields)) + np.arange(REPLICATES)[:, None] * fields
    times = np.bincount(picked.ravel(), minlength=REPLICATES * fields).reshape(REPLICATES, fields).astype(np.float64)
    times.setflags(write=False)
    return times
