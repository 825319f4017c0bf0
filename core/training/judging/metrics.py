"""Agreement of classes, with intervals: over tiles, or over the cases the tiles come from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Confusions = npt.NDArray[np.float64]
"""(..., C, C) counts, rows truth, columns predicted; figures of them have shape (...)."""


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def quadratic_kappa(truth: Labels, predicted: Labels, *, classes: int = 4) -> float:
    """Return Cohen's kappa with quadratic weights; 0 where one side is constant."""
    observed = np.zeros((classes, classes))
    np.add.at(observed, (truth, predicted), 1)
    distance = np.subtract.outer(np.arange(classes), np.arange(classes)) ** 2
    chance = np.outer(observed.sum(1), observed.sum(0)) / max(len(truth), 1)
    expected = float((distance * chance).sum())
    return 1.0 - float((distance * observed).sum()) / expected if expected else 0.0


def wilson(hits: int, count: int, *, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    if count == 0:
        return 0.0, 1.0
    share, factor = hits / count, 1 + z * z / count
    centre = (share + z * z / (2 * count)) / factor
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / factor
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def bootstrap(
    truth: Labels, predicted: Labels, figure: Callable[[Labels, Labels], float], *, rounds: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of a figure over resampled cases."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(truth), (rounds, len(truth)))
    low, high = np.percentile([figure(truth[draw], predicted[draw]) for draw in draws], [2.5, 97.5])
    return float(low), float(high)


def agreement(truth: Labels, predicted: Labels) -> str:
    """Return exact agreement, agreement within one grade and quadratic kappa in one line, with 95 % intervals."""
    count = len(truth)
    exact, near = int((truth == predicted).sum()), int((np.abs(truth - predicted) <= 1).sum())
    (a, b), (c, d) = wilson(exact, count), wilson(near, count)
    low, high = bootstrap(truth, predicted, quadratic_kappa)
    kappa = quadratic_kappa(truth, predicted)
    return (
        f"exact {exact}/{count} ({a:.0%}-{b:.0%}), within one {near}/{count} ({c:.0%}-{d:.0%}), "
        f"quadratic kappa {kappa:.2f} ({low:.2f} to {high:.2f})"
    )


def confusion_matrix(truth: Labels, predicted: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Return (C, C) counts, rows truth, columns predicted."""
    found = np.zeros((classes, classes), np.int64)
    np.add.at(found, (truth, predicted), 1)
    return found


def accuracy_of(confusions: Confusions) -> Floats:
    """Return the share of right answers."""
    return _share(np.trace(confusions, axis1=-2, axis2=-1), confusions.sum((-2, -1)))


def balanced_accuracy_of(confusions: Confusions) -> Floats:
    """Return the mean recall of the classes that occur."""
    counts = confusions.sum(-1)
    recalls = _share(np.diagonal(confusions, axis1=-2, axis2=-1), counts)
    return _share(recalls.sum(-1), (counts > 0).sum(-1))


def kappa_of(confusions: Confusions, *, quadratic: bool) -> Floats:
    """Return Cohen's kappa, with quadratic weights for ordered classes; 0 where one side is constant."""
    classes = confusions.shape[-1]
    distance = np.subtract.outer(np.arange(classes), np.arange(classes)).astype(np.float64) ** 2
    weights = distance if quadratic else (distance > 0).astype(np.float64)
    chance = confusions.sum(-1)[..., :, None] * confusions.sum(-2)[..., None, :]
    chance = chance / np.maximum(confusions.sum((-2, -1)), 1)[..., None, None]
    expected = (weights * chance).sum((-2, -1))
    observed = (weights * confusions).sum((-2, -1))
    return np.asarray(np.where(expected > 0, 1 - _share(observed, expected), 0.0))


def case_interval(
    truth: Labels,
    predicted: Labels,
    cases: npt.NDArray[np.str_],
    classes: int,
    figure: Callable[[Confusions], Floats],
    *,
    rounds: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return a figure of tiles with its interval over resampled cases: tiles of one case are drawn together.

    Args:
        cases: (N,) name of each tile's case.
    """
    names, places = np.unique(cases, return_inverse=True)
    per_case = np.zeros((len(names), classes, classes))
    np.add.at(per_case, (places, truth, predicted), 1)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=rounds)
    low, high = np.percentile(figure(np.tensordot(times.astype(np.float64), per_case, 1)), [2.5, 97.5])
    return Interval(float(figure(per_case.sum(0))), float(low), float(high))


def mean_recall_interval(confusion: npt.NDArray[np.int64]) -> Interval:
    """Return balanced accuracy with an interval from the Wilson intervals of the recalls; (0, 1) without any.

    Unlike a bootstrap it does not shrink to a point where every answer is right.
    Source: Zou and Donner 2008 (square and add), https://doi.org/10.1002/sim.3095
    """
    present = [(int(row[index]), int(row.sum())) for index, row in enumerate(confusion) if row.sum()]
    if not present:
        return Interval(0.0, 0.0, 1.0)
    recalls = np.array([hits / count for hits, count in present])
    limits = np.array([wilson(hits, count) for hits, count in present])
    value = float(recalls.mean())
    down, up = (float(np.sqrt(((recalls - limits[:, side]) ** 2).sum())) / len(present) for side in (0, 1))
    return Interval(value, max(0.0, value - down), min(1.0, value + up))


def wider(one: Interval, other: Interval) -> Interval:
    """Return the first figure with the lower of both lows and the higher of both highs."""
    return Interval(one.value, min(one.low, other.low), max(one.high, other.high))


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0))
