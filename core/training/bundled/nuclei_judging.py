"""How well found nuclei agree with annotated points, and which limits of the detector agree best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from core.errors import NotFoundError
from core.labels import OperatingPoint
from core.models.nuclei_unet import NUCLEI_MPP
from core.quantify.nuclei_learned import Limits, Maps, seeds_of
from core.training.bundled.nuclei_fields import MPP_OF_SOURCE, NucleiField

Tally = npt.NDArray[np.int64]
"""(6,): hits, found and annotated of stained nuclei, then of unstained nuclei. (fields, 6) for several."""

MATCH_PX = {"bcdata": 10.0, "shidc": 15.0}
"""Farthest match in pixels of the file: 2.5 um in both sets."""

MIN_ANNOTATED = 5
"""With fewer annotated nuclei a field's index is not judged."""

MAX_F1_LOSS = 0.02
"""How much mean F1 the operating point of least index bias may give away."""

_HEIGHTS = np.round(np.arange(0.06, 0.33, 0.02), 2)


@dataclass(frozen=True)
class Judged:
    """One annotated field and what the network answered, all in pixels at 0.5 um/px.

    Attributes:
        stained, unstained: (N, 2) annotated points.
        radius: farthest match.
        maps: of a network that never saw this case.
    """

    source: str
    name: str
    case: str
    stained: npt.NDArray[np.float32]
    unstained: npt.NDArray[np.float32]
    radius: float
    maps: Maps


@dataclass(frozen=True)
class Agreement:
    """How found nuclei of one kind agree with the annotated ones of several fields taken together."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Summary:
    """Figures of several fields; the index is the share of stained nuclei, its errors are in points.

    Attributes:
        mae, rmse, bias: mean absolute, root mean square and mean error of the index per field.
    """

    stained: Agreement
    unstained: Agreement
    mae: float
    rmse: float
    bias: float

    @property
    def mean_f1(self) -> float:
        """Mean of both F1."""
        return (self.stained.f1 + self.unstained.f1) / 2


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
    error = index_errors(tallies)
    if not len(error):
        error = np.full(1, np.nan)
    return Summary(
        _agreement(total[:3]),
        _agreement(total[3:]),
        float(np.abs(error).mean()),
        float(np.sqrt((error**2).mean())),
        float(error.mean()),
    )


def _agreement(total: Tally) -> Agreement:
    hits, found, truth = (int(value) for value in total)
    return Agreement(hits / max(1, found), hits / max(1, truth), 2 * hits / max(1, found + truth))


def index_errors(tallies: Tally) -> npt.NDArray[np.float64]:
    """Return found minus annotated share of stained nuclei, in points, of the fields with enough annotated ones."""
    judged = tallies[(tallies[:, 2] + tallies[:, 5]) >= MIN_ANNOTATED]
    found, truth = (100 * judged[:, k] / np.maximum(1, judged[:, k] + judged[:, k + 3]) for k in (1, 2))
    return np.asarray(found - truth)


def held_out_fields(fields: Sequence[NucleiField], folder: Path) -> list[Judged]:
    """Join fields with the maps that a cross-validation left in its folder.

    Raises:
        NotFoundError: the folder has no answer to one of the fields.
    """
    maps: dict[str, Maps] = {}
    for path in sorted(folder.glob("maps-*.npz")):
        with np.load(path, allow_pickle=False) as kept:
            maps |= {name: kept[name].astype(np.float32) for name in kept.files}
    missing = next((field for field in fields if f"{field.source}-{field.name}" not in maps), None)
    if missing is not None:
        raise NotFoundError(
            f"No held-out answer to {missing.source} {missing.name} in {folder}. Train all folds first "
            "(python -m core.training.bundled.nuclei_points)."
        )
    radius = MATCH_PX["bcdata"] * MPP_OF_SOURCE["bcdata"] / NUCLEI_MPP
    return [
        Judged(
            field.source,
            field.name,
            field.case,
            field.centres[field.stained],
            field.centres[~field.stained],
            radius,
            maps[f"{field.source}-{field.name}"],
        )
        for field in fields
    ]


def tally_of(field: Judged, limits: Limits) -> Tally:
    """Tally one field at these limits."""
    seeds = seeds_of(field.maps, limits)
    return tally(seeds.centres, seeds.positive, field.stained, field.unstained, field.radius)


class LimitTable:
    """Tallies of all fields at all candidate limits, so that limits are chosen without any chosen fields."""

    def __init__(self, fields: Sequence[Judged]) -> None:
        self._sources = np.array([field.source for field in fields])
        self.candidates = [Limits(float(low), float(high)) for low in _HEIGHTS for high in _HEIGHTS]
        self.tallies = np.stack([[tally_of(field, limits) for field in fields] for limits in self.candidates])

    def choose(self, point: OperatingPoint, fields: npt.NDArray[np.bool_]) -> Limits:
        """Return the candidate that is best on these fields, (fields,) bool, every source weighing the same.

        The least biased one is sought among those whose F1 is nearly the best: a right share of wrong nuclei is luck.
        """
        f1, mae = np.array([self._quality(one, fields) for one in self.tallies]).T
        if point is OperatingPoint.BEST_F1:
            return self.candidates[int(np.argmax(f1))]
        return self.candidates[int(np.argmin(np.where(f1 >= f1.max() - MAX_F1_LOSS, mae, np.inf)))]

    def at(self, limits: Limits) -> Tally:
        """Return the tallies of all fields, (fields, 6)."""
        return np.asarray(self.tallies[self.candidates.index(limits)])

    def _quality(self, tallies: Tally, fields: npt.NDArray[np.bool_]) -> tuple[float, float]:
        """Return mean F1 and mean absolute error of the index, averaged over the sources."""
        parts = [summary(tallies[fields & (self._sources == source)]) for source in np.unique(self._sources[fields])]
        return float(np.mean([part.mean_f1 for part in parts])), float(np.mean([part.mae for part in parts]))


def manifest_rows(limits: Mapping[OperatingPoint, Limits]) -> dict[str, float]:
    """Return the table `limits` of the manifest."""
    names = {OperatingPoint.BEST_F1: "best_f1", OperatingPoint.LEAST_BIAS: "least_bias"}
    return {f"{names[point]}_{key}": value for point, one in limits.items() for key, value in asdict(one).items()}


def bootstrap(
    tallies: Tally, cases: npt.NDArray[np.str_], figure: Callable[[Tally], float], *, rounds: int = 1000
) -> tuple[float, float]:
    """Return the 95 % interval of a figure over cases drawn with replacement."""
    rng = np.random.default_rng(0)
    groups = [tallies[cases == case] for case in np.unique(cases)]
    drawn = [
        figure(np.concatenate([groups[k] for k in rng.integers(0, len(groups), len(groups))])) for _ in range(rounds)
    ]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(low), float(high)
