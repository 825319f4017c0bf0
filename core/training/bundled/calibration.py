"""Calibration of a two-class network from held-out answers: bias, temperature and conformal threshold."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import softmax


@dataclass(frozen=True)
class Calibration:
    """What held-out tiles say about the network's certainty.

    Attributes:
        temperature: logits are divided by it.
        bias: is added to the second logit before that; belongs into the network's last bias.
        conformal_threshold: largest 1 - p of a class that stays in the prediction set.
        coverage: share of the held-out tiles of each class whose true class is then in the set, at least.
    """

    temperature: float
    bias: float
    conformal_threshold: float
    coverage: float

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return (N, 2) calibrated probabilities."""
        shifted = (logits + np.array([0.0, self.bias])) / self.temperature
        return np.asarray(softmax(shifted, axis=1), np.float64)


def calibrate(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], *, coverage: float = 0.9) -> Calibration:
    """Fit bias and temperature by likelihood, and the threshold so that both classes reach the coverage.

    Args:
        logits: (N, 2) of tiles that the network never saw.
        labels: (N,) true classes, both present.

    Sources: Platt 1999 (bias and scale); Vovk 2012 (class-conditional conformal prediction).
    """
    margin = logits[:, 1].astype(np.float64) - logits[:, 0]

    def loss(point: npt.NDArray[np.float64]) -> float:
        z = (margin + point[1]) * np.exp(-point[0])
        # Both classes weigh the same: how common stained tiles are differs from image to image.
        return float(np.logaddexp(0, -z[labels == 1]).mean() + np.logaddexp(0, z[labels == 0]).mean())

    scale, bias = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    fitted = Calibration(float(np.exp(scale)), float(bias), 0.5, coverage)
    misfit = 1.0 - fitted.probabilities(logits)[np.arange(len(labels)), labels]
    threshold = max(_quantile(misfit[labels == label], coverage) for label in (0, 1))
    return Calibration(fitted.temperature, fitted.bias, threshold, coverage)


def _quantile(scores: npt.NDArray[np.float64], coverage: float) -> float:
    rank = min(len(scores), int(np.ceil((len(scores) + 1) * coverage)))
    return float(np.sort(scores)[rank - 1])
