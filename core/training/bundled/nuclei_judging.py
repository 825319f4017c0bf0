"""How well found nuclei agree with annotated points, and which limits of the detector agree best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from core.labels import OperatingPoint
from core.quantify.nuclei_learned import Limits, Maps, seeds_of

Tally = npt.NDArray[np.int64]
"""(6,): hits, found and annotated of stained nuclei, then of unstained nuclei. (fields, 6) for several."""

MATCH_PX = {"bcdata": 10.0, "shidc": 15.0}
"""Farthest match in pixels of the file: 2.5 um in both sets."""

MIN_ANNOTATED = 5
"""With fewer annotated nuclei a field's index is not judged."""

_HEIGHTS = np.round(np.arange(0.15, 0.66, 0.05), 2)
_DISTANCES = (3, 5)
_EXCLUSIONS = (4.0, 7.0)


@dataclass(frozen=True)
class Judged:
    """One annotated field and what the network answered, all in pixels at 0.5 um/px.

    Attributes:
        stained, unstained: (N, 2) annotated points.
        radius: farthest match.
        maps: of a network that never saw this case.
    """

    source: str
    case: str
    stained: npt.NDArray[np.float32]
    unstained: npt.NDArray[np.float32]
    radius: float
    maps: Maps


@dataclass(frozen=True)
class Summary:
    """Figures of several fields: F1 over all their nuclei, and the error of the index per field in points."""

    f1_stained: float
    f1_unstained: float
    mae: float
    rmse: float
    bias: float

    @property
    def mean_f1(self) -> float:
        """Mean of both F1."""
        return (self.f1_stained + self.f1_unstained) / 2


def matches(found: npt.NDArray[np.floating], truth: npt.NDArray[np.floating], radius: float) -> int:
    """Count pairs of found and annotated points no farther apart than `radius`, one to one."""
    if not len(found) or not len(truth):
        return 0
    distance = np.linalg.norm(found[:, None] - truth[None], axis=2)
    rows, columns = linear_sum_assignment(np.where(distance <= radius, distance, 1e6))
    return int(np.count_nonzero(distance[rows, columns] <= radius))


def tally(
    found: npt.NDArray[np.floating],
    positive: npt.NDArray[np.bool_],
    stained: npt.NDArray[np.floating],
    unstained: npt.NDArray[np.floating],
    radius: float,
) -> Tally:
    """Compare found nuclei, (N, 2) and (N,), with annotated ones."""
    row: list[int] = []
    for points, truth in ((found[positive], stained), (found[~positive], unstained)):
        row += [matches(points, truth, radius), len(points), len(truth)]
    return np.array(row)


def summary(tallies: Tally) -> Summary:
    """Return the figures of (fields, 6) tallies."""
    total = tallies.sum(axis=0)
    stained, unstained = (2 * total[k] / max(1, total[k + 1] + total[k + 2]) for k in (0, 3))
    error = index_errors(tallies)
    if not len(error):
        error = np.full(1, np.nan)
    return Summary(
        float(stained),
        float(unstained),
        float(np.abs(error).mean()),
        float(np.sqrt((error**2).mean())),
        float(error.mean()),
    )


def index_errors(tallies: Tally) -> npt.NDArray[np.float64]:
    """Return found minus annotated share of stained nuclei, in points, of the fields with enough annotated ones."""
    judged = tallies[(tallies[:, 2] + tallies[:, 5]) >= MIN_ANNOTATED]
    found, truth = (100 * judged[:, k] / np.maximum(1, judged[:, k] + judged[:, k + 3]) for k in (1, 2))
    return np.asarray(found - truth)


def tally_of(field: Judged, limits: Limits) -> Tally:
    """Tally one field at these limits."""
    seeds = seeds_of(field.maps, limits)
    return tally(seeds.centres, seeds.positive, field.stained, field.unstained, field.radius)


class LimitTable:
    """Tallies of all fields at all candidate limits, so that limits are chosen without any chosen fields."""

    def __init__(self, fields: Sequence[Judged]) -> None:
        self._sources = np.array([field.source for field in fields])
        self.candidates = [
            Limits(float(positive), float(negative), distance, exclusion)
            for distance in _DISTANCES
            for exclusion in _EXCLUSIONS
            for positive in _HEIGHTS
            for negative in _HEIGHTS
        ]
        self.tallies = np.stack([[tally_of(field, limits) for field in fields] for limits in self.candidates])

    def choose(self, point: OperatingPoint, fields: npt.NDArray[np.bool_]) -> Limits:
        """Return the candidate that is best on these fields, (fields,) bool, every source weighing the same."""
        quality = [self._quality(point, one, fields) for one in self.tallies]
        return self.candidates[int(np.argmax(quality))]

    def at(self, limits: Limits) -> Tally:
        """Return the tallies of all fields, (fields, 6)."""
        return np.asarray(self.tallies[self.candidates.index(limits)])

    def _quality(self, point: OperatingPoint, tallies: Tally, fields: npt.NDArray[np.bool_]) -> float:
        parts = [summary(tallies[fields & (self._sources == source)]) for source in np.unique(self._sources[fields])]
        f1 = float(np.mean([part.mean_f1 for part in parts]))
        if point is OperatingPoint.BEST_F1:
            return f1
        return -float(np.mean([part.mae for part in parts]))


def manifest_rows(limits: Mapping[OperatingPoint, Limits]) -> dict[str, float]:
    """Return the table `limits` of the manifest."""
    names = {OperatingPoint.BEST_F1: "best_f1", OperatingPoint.LEAST_BIAS: "least_bias"}
    return {
        f"{names[point]}_{key}": value for point, one in limits.items() for key, value in vars(replace(one)).items()
    }
