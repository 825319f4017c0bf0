"""Whether tiles look like those a network was trained on: how far their features lie from those of training tiles.

A network answers whatever it is shown, and surely so: a photograph gets a score too. Its features tell: those of
training tiles fill a small part of their space, and other pictures lie outside it. Colour and contrast tell what the
network was trained to ignore. Each number is brought to a robust scale and compressed (asinh); the distance is
Mahalanobis' along the main axes of the training tiles, plus what lies outside them, each in units of what is usual
there. Sources: Lee et al. 2018, https://arxiv.org/abs/1807.03888
(Mahalanobis); Jackson and Mudholkar 1979 (what lies outside the axes).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

QUANTILE = 0.95
"""Share of held-out cases that lie below the threshold."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Space:
    """What one kind of numbers of training tiles looks like.

    Attributes:
        centre, spread: (F,) median and robust deviation of each number.
        mean: (F,) of the compressed numbers.
        axes: (K, F) main axes, orthonormal.
        variances: (K,) along them.
        rest: mean squared distance from the space of the axes.
    """

    centre: Floats
    spread: Floats
    mean: Floats
    axes: Floats
    variances: Floats
    rest: float

    def squared(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return the squared distance of (N, F) values, (N,): along the axes and outside them."""
        offset = compressed(values, self.centre, self.spread) - self.mean
        along = offset @ self.axes.T
        outside = np.maximum((offset**2).sum(axis=1) - (along**2).sum(axis=1), 0) / self.rest
        return np.asarray((along**2 / self.variances).mean(axis=1) + outside, np.float64)


@dataclass(frozen=True)
class Novelty:
    """What training tiles look like to their network, and to the eye.

    Attributes:
        features: pooled features of the network.
        looks: as from `core.quality.appearance`.
        threshold: distance beyond which an image is called unlike; infinite until it is set.
        quantile: share of held-out cases that shall lie below it.
        cases: how many held-out cases it comes from.
        sha256: of the weights whose features these are.
    """

    features: Space
    looks: Space
    threshold: float = float("inf")
    quantile: float = QUANTILE
    cases: int = 0
    sha256: str = ""

    def distances(self, features: npt.NDArray[np.floating], looks: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return the distance of each tile, (N,); that of training tiles is mostly between 1 and 2.5.

        Args:
            features: (N, F) pooled features.
            looks: (N, 10) as from `core.quality.appearance`.
        """
        return np.asarray(np.sqrt(self.features.squared(features) + self.looks.squared(looks)), np.float64)

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


def compressed(
    features: npt.NDArray[np.floating], centre: npt.NDArray[np.floating], spread: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Return features at a robust scale, large ones compressed."""
    values: npt.NDArray[np.float64] = np.arcsinh((np.asarray(features, np.float64) - centre) / spread)
    return values
