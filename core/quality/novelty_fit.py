"""Describe the features of training tiles, and set the distance beyond which an image is unlike them."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
from scipy.special import stdtrit

from core.quality.novelty import QUANTILE, Novelty, Space, case_distances, compressed

AXES = 32
"""Main axes at most; of few numbers half as many."""

SHRINKAGE = 0.1
"""Share of the mean variance that is added to each axis."""

FLOOR = 0.1
"""Least spread of a feature, as a share of the mean one: features that never change must not decide."""

FOLDS = 10
"""Parts in which the cases are left out in turn."""

MIN_CASES = 3
"""Held-out cases below which no threshold can be stated."""

ENOUGH_CASES = 20
"""Held-out cases from which their own quantile is the threshold; below, it is bounded from their spread."""


def fit_novelty(
    features: npt.NDArray[np.floating], looks: npt.NDArray[np.floating], cases: npt.NDArray[np.str_]
) -> Novelty:
    """Describe training tiles; the threshold is still to be set.

    Args:
        features: (N, F) pooled features of the network, N at least 2.
        looks: (N, 10) as from `core.quality.appearance`.
        cases: (N,) their cases; each weighs the same.
    """
    return Novelty(_space(features, cases), _space(looks, cases))


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


def fit_crosswise(
    features: npt.NDArray[np.floating],
    looks: npt.NDArray[np.floating],
    cases: npt.NDArray[np.str_],
    unseen: npt.NDArray[np.bool_],
) -> Novelty | None:
    """Describe tiles, and set the threshold from each case's distance to the others; None with too few cases.

    Few validation cases say little of how cases differ, so the training cases count too. A network knows these better
    than new ones, so the threshold is at least that of the cases it never learnt from.

    Args:
        features, looks, cases: as `fit_novelty`.
        unseen: (N,) tiles that the network never learnt from.
    """
    names = np.unique(cases)
    if len(names) < MIN_CASES:
        return None
    distances = np.zeros(len(names))
    for fold in range(min(FOLDS, len(names))):
        out = np.isin(cases, names[fold::FOLDS])
        others = fit_novelty(features[~out], looks[~out], cases[~out])
        distances[fold::FOLDS] = case_distances(others.distances(features[out], looks[out]), cases[out])
    fitted = fit_novelty(features, looks, cases)
    strict = with_threshold(fitted, distances[np.isin(names, cases[unseen])])
    every = with_threshold(fitted, distances)
    if every is None or strict is None:
        return None
    return replace(every, threshold=max(every.threshold, strict.threshold))


def _space(values: npt.NDArray[np.floating], cases: npt.NDArray[np.str_]) -> Space:
    values = np.asarray(values, np.float64)
    centre = np.median(values, axis=0)
    quartiles = np.quantile(values, [0.25, 0.75], axis=0)
    spread = (quartiles[1] - quartiles[0]) / 1.349
    spread = spread + FLOOR * spread.mean() + 1e-6
    values = compressed(values, centre, spread)
    _, places, counts = np.unique(cases, return_inverse=True, return_counts=True)
    weights = 1 / counts[places] / len(counts)  # (N,), sum 1
    mean = weights @ values
    scaled = (values - mean) * np.sqrt(weights)[:, None]
    kept = max(1, min(AXES, len(values) - 1, values.shape[1] // 2))
    variances, basis = _main_axes(scaled, kept)
    rest = max(float((scaled**2).sum() - variances.sum()), 1e-6 * float(variances.sum()), 1e-12)
    return Space(
        centre=centre.astype(np.float32),
        spread=spread.astype(np.float32),
        mean=mean.astype(np.float32),
        axes=basis.astype(np.float32),
        variances=(variances + SHRINKAGE * variances.mean() + 1e-12).astype(np.float32),
        rest=rest,
    )


def _main_axes(rows: npt.NDArray[np.float64], count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the (count,) largest squared singular values of (N, F) rows and their (count, F) directions."""
    wide = rows.shape[0] < rows.shape[1]
    products = rows @ rows.T if wide else rows.T @ rows
    size = len(products)
    squares, vectors = eigh(products, subset_by_index=(size - count, size - 1))
    squares, vectors = np.maximum(squares[::-1], 0), vectors[:, ::-1]
    if not wide:
        return squares, vectors.T
    directions = (rows.T @ vectors).T  # (count, F)
    return squares, directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
