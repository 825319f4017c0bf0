"""Calibration from held-out answers: temperature and conformal threshold."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax


@dataclass(frozen=True)
class Calibration:
    """What held-out tiles say about the network's certainty.

    Attributes:
        temperature: logits are divided by it.
        conformal_threshold: largest 1 - p of a class that stays in the prediction set.
        coverage: share of held-out tiles whose true class is then in the set, at least.
    """

    temperature: float
    conformal_threshold: float
    coverage: float


def calibrate(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], *, coverage: float = 0.9) -> Calibration:
    """Fit the temperature by likelihood, and the threshold so that every class reaches the coverage.

    Args:
        logits: (N, C) of tiles that the network never saw.
        labels: (N,) true classes.

    Sources: Guo et al. 2017, https://arxiv.org/abs/1706.04599 (temperature); Vovk 2012 (class-conditional conformal).
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        # Every class weighs the same: how common stained tiles are differs from image to image.
        chosen = log_softmax(logits / np.exp(log_temperature), axis=1)[rows, labels]
        return -float(np.mean([chosen[labels == label].mean() for label in np.unique(labels)]))

    temperature = float(np.exp(minimize_scalar(loss, bounds=(-2.0, 3.0), method="bounded").x))
    misfit = 1.0 - softmax(logits / temperature, axis=1)[rows, labels]
    thresholds = []
    for label in np.unique(labels):
        scores = np.sort(misfit[labels == label])
        rank = min(len(scores), int(np.ceil((len(scores) + 1) * coverage)))
        thresholds.append(float(scores[rank - 1]))
    return Calibration(temperature, max(thresholds), coverage)
