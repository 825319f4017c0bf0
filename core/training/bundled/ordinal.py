"""Ordinal (cumulative logit) regression with non-negative coefficients: more stain never means a lower score."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from core.quantify.her2_rule import PREDICTORS

Values = npt.NDArray[np.float64]


def fit_ordinal(
    values: Values, labels: npt.NDArray[np.int64], weights: Values, *, shrink: float = 0.05
) -> dict[str, float]:
    """Fit by penalised likelihood.

    Args:
        values: (N, D) regressors.
        labels: (N,) in 0..3.
        weights: (N,) of each case.
        shrink: quadratic penalty on the coefficients.
    Returns:
        `ordinal_NAME` per regressor, and the rising `ordinal_limit_1` to `_3`.
    """
    rows, width = np.arange(len(labels)), values.shape[1]
    centre = values.mean(axis=0)

    def unpack(parameters: Values) -> tuple[Values, Values]:
        limits = parameters[width] + np.concatenate([[0.0], np.cumsum(np.exp(parameters[width + 1 :]))])
        return np.exp(parameters[:width]), limits

    def loss(parameters: Values) -> float:
        slope, limits = unpack(parameters)
        at_least = expit(((values - centre) @ slope)[:, None] - limits)  # (N, 3)
        edges = np.hstack([np.ones((len(rows), 1)), at_least, np.zeros((len(rows), 1))])
        likelihood = np.clip(-np.diff(edges, axis=1)[rows, labels], 1e-6, 1)
        return float(-(weights * np.log(likelihood)).sum() + shrink * (slope**2).sum())

    starts = (np.concatenate([np.full(width, start), [-1.0, 0.3, 0.3]]) for start in (-1.0, 0.5))
    best = min((minimize(loss, start, method="L-BFGS-B") for start in starts), key=lambda found: float(found.fun))
    slope, limits = unpack(best.x)
    limits = limits + centre @ slope
    fitted = {f"ordinal_{name}": float(value) for name, value in zip(PREDICTORS, slope, strict=True)}
    return fitted | {f"ordinal_limit_{rank}": float(limit) for rank, limit in enumerate(limits, 1)}
