"""Whether probabilities mean what they say: reliability curve and expected calibration error."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Tiles of similar confidence.

    Attributes:
        confidence: their mean confidence.
        accuracy: share of them that was right.
    """

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class Reliability:
    """How far confidence and accuracy lie apart.

    Attributes:
        ece: expected calibration error: mean distance over bins, weighted by their tiles.
        bins: those that hold a tile, of equal width, ascending.
    """

    ece: float
    bins: tuple[Bin, ...]


def reliability(probs: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], *, bins: int = BINS) -> Reliability:
    """Compare the confidence of the likeliest class with how often it is right.

    Args:
        probs: (N, C).
        labels: (N,) true classes.
    Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599
    """
    if len(labels) == 0:
        return Reliability(0.0, ())
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    members = [places == index for index in range(bins)]
    found = tuple(
        Bin(float(confidence[chosen].mean()), float(right[chosen].mean()), int(chosen.sum()))
        for chosen in members
        if chosen.any()
    )
    ece = sum(each.count * abs(each.accuracy - each.confidence) for each in found) / len(labels)
    return Reliability(float(ece), found)
