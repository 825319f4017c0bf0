"""Whether tiles look like those a network was trained on: distance of its features from theirs.

A network answers whatever it is shown, and surely so: a photograph gets a score too. Its features tell: those of
training tiles fill a small part of the space, and other pictures lie outside it. Each feature is brought to a robust
scale and compressed (asinh), then the distance is Mahalanobis' along the main axes of the training tiles, plus what
lies outside these axes, each measured by what is usual. Sources: Lee et al. 2018, https://arxiv.org/abs/1807.03888
(Mahalanobis); Jackson and Mudholkar 1979 (what lies outside the axes).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

AXES = 32
SHRINKAGE = 0.1
"""Share of the mean variance that is added to each axis."""

FLOOR = 0.1
"""Least spread of a feature, as a share of the mean one: features that never change must not decide."""

QUANTILE = 0.95
"""Share of held-out cases that lie below the threshold."""

MIN_CASES = 3
"""Held-out cases below which no threshold can be stated."""

ENOUGH_CASES = 20
"""Held-out cases from which their own quantile is the threshold; below, it is bounded from their spread."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Novelty:
    """What features of training tiles look like.

    Attributes:
        centre, spread: (F,) median and robust deviation of each feature.
        mean: (F,) of the compressed features.
        axes: (K, F) main axes, orthonormal.
        variances: (K,) along them.
        rest: mean squared distance from the space of the axes.
        threshold: distance beyond which an image is called unlike; infinite until it is set.
        quantile: share of held-out cases that shall lie below it.
        cases: how many held-out cases it comes from.
        sha256: of the weights whose features these are.
    """

    centre: Floats
    spread: Floats
    mean: Floats
    axes: Floats
    variances: Floats
    rest: float
    threshold: float = float("inf")
    quantile: float = QUANTILE
    cases: int = 0
    sha256: str = ""

    def distances(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return the distance of each tile, (N,); that of training tiles is mostly between 1 and 1.5.

        Args:
            features: (N, F) pooled features.
        """
        offset = _compressed(features, self.centre, self.spread) - self.mean
        along = offset @ self.axes.T
        outside = np.maximum((offset**2).sum(axis=1) - (along**2).sum(axis=1), 0) / self.rest
        inside = (along**2 / self.variances).mean(axis=1)
        return np.asarray(np.sqrt(inside + outside), np.float64)

    def is_foreign(self, distance: float) -> bool:
        """Whether an image at this distance is unlike the training images."""
        return distance > self.threshold


@dataclass(frozen=True)
class Likeness:
    """How far the median tile of an image lies from training tiles.

    Attributes:
        threshold: distance below which `quantile` of the held-out cases lie.
        problem: why it could not be told; empty where it could.
    """

    distance: float
    threshold: float
    quantile: float
    problem: str = ""

    @property
    def foreign(self) -> bool:
        """The image is unlike the training images."""
        return self.distance > self.threshold


def image_distance(distances: npt.NDArray[np.float64]) -> float:
    """Return the distance of an image: that of its median tile."""
    return float(np.median(distances))


def case_distances(distances: npt.NDArray[np.float64], cases: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Return the distance of each case, that of its median tile; in the order of the sorted names."""
    return np.array([image_distance(distances[cases == name]) for name in np.unique(cases)])


def fit_novelty(features: npt.NDArray[np.floating], cases: npt.NDArray[np.str_], *, axes: int = AXES) -> Novelty:
    """Describe the features of training tiles; the threshold is still to be set.

    Args:
        features: (N, F), N at least 2.
        cases: (N,) their cases; each weighs the same.
        axes: at most so many.
    """
    values = np.asarray(features, np.float64)
    centre = np.median(values, axis=0)
    quartiles = np.quantile(values, [0.25, 0.75], axis=0)
    spread = (quartiles[1] - quartiles[0]) / 1.349
    spread = spread + FLOOR * spread.mean() + 1e-6
    compressed = _compressed(values, centre, spread)
    _, places, counts = np.unique(cases, return_inverse=True, return_counts=True)
    weights = 1 / counts[places] / len(counts)  # (N,), sum 1
    mean = weights @ compressed
    scaled = (compressed - mean) * np.sqrt(weights)[:, None]
    _, singular, basis = np.linalg.svd(scaled, full_matrices=False)
    kept = max(1, min(axes, len(values) - 1, values.shape[1] // 2))
    variances = singular[:kept] ** 2
    rest = max(float((singular[kept:] ** 2).sum()), 1e-6 * float(variances.sum()), 1e-12)
    return Novelty(
        centre=centre.astype(np.float32),
        spread=spread.astype(np.float32),
        mean=mean.astype(np.float32),
        axes=basis[:kept].astype(np.float32),
        variances=(variances + SHRINKAGE * variances.mean() + 1e-12).astype(np.float32),
        rest=rest,
    )


def with_threshold(
    novelty: Novelty, held_out: npt.NDArray[np.float64], *, quantile: float = QUANTILE
) -> Novelty | None:
    """Set the threshold from the distances of held-out cases; None where there are fewer than `MIN_CASES`.

    Of few cases the largest is no bound for the next one: then the threshold is at least that of a log-normal
    prediction interval.
    """
    count = len(held_out)
    if count < MIN_CASES:
        return None
    threshold = float(np.sort(held_out)[int(np.ceil(count * quantile)) - 1])
    if count < ENOUGH_CASES:
        logs = np.log(np.maximum(held_out, 1e-9))
        reach = float(stdtrit(count - 1, quantile)) * logs.std(ddof=1) * np.sqrt(1 + 1 / count)
        threshold = max(threshold, float(np.exp(logs.mean() + reach)))
    return replace(novelty, threshold=threshold, quantile=quantile, cases=count)


def _compressed(
    features: npt.NDArray[np.floating], centre: npt.NDArray[np.floating], spread: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    compressed: npt.NDArray[np.float64] = np.arcsinh((np.asarray(features, np.float64) - centre) / spread)
    return compressed
