"""Agreement of ordinal scores, with intervals."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]


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
