"""How close synthetic images are to real ones, in the feature space of a classifier.

All functions take features: (N, D) float, one row an image. Distances are only comparable in one feature space and for
one number of images; the same figure for real images against other real images gives the scale.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.floating]
Weights = npt.NDArray[np.float64]

Distance = Callable[[Rows, Rows, Weights | None, Weights | None], float]
"""Of two sets, as often as each row of the one and the other counts."""

NEIGHBOURS = 3
"""Neighbours that span the manifold in precision and recall, as published."""

CLOSEST = 5.0
"""Percentile of the distances between real images below which a sample counts as a copy."""

_SMALL_PX = 16


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Copies:
    """How near samples are to training images.

    Attributes:
        limit: distance below which a sample counts as a copy: a percentile of real-to-real nearest distances.
        share: of samples below it.
        nearest: (N,) distance of each sample to the training image nearest to it.
        which: (N,) index of that training image.
    """

    limit: float
    share: Figure
    nearest: npt.NDArray[np.float64]
    which: npt.NDArray[np.int64]


def frechet_distance(a: Rows, b: Rows, a_weights: Weights | None = None, b_weights: Weights | None = None) -> float:
    """Return the Fréchet distance of two sets, each taken as a Gaussian.

    Args:
        a_weights, b_weights: (N,) how often each row counts; once where None.
    Source: Heusel et al. 2017, https://arxiv.org/abs/1706.08500
    """
    mean_a, cov_a = _moments(a, a_weights)
    mean_b, cov_b = _moments(b, b_weights)
    root = _root(cov_a)
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ cov_b @ root), 0, None)).sum()
    distance = float(((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * shared)
    return max(distance, 0.0)


def frechet_by_class(
    synthetic: Rows, real: Rows, labels: npt.NDArray[np.int64], real_labels: npt.NDArray[np.int64] | None = None
) -> float:
    """Return the mean over classes of the Fréchet distance within a class: images of a wrong class count as far.

    Args:
        labels: (N,) of the synthetic images, and of the real ones unless `real_labels` are given.
    Source: Miyato and Koyama 2018 (intra FID), https://arxiv.org/abs/1802.05637
    """
    others = labels if real_labels is None else real_labels
    return float(np.mean([frechet_distance(synthetic[labels == k], real[others == k]) for k in np.unique(others)]))


def kernel_distance(a: Rows, b: Rows, a_weights: Weights | None = None, b_weights: Weights | None = None) -> float:
    """Return the squared maximum mean discrepancy with a cubic kernel: unbiased, so it may be slightly negative.

    Source: Binkowski et al. 2018 (KID), https://arxiv.org/abs/1801.01401
    """
    return KernelDistance(a, b)(a, b, a_weights, b_weights)


class KernelDistance:
    """The same of two sets for many weights: what does not depend on them is computed once."""

    def __init__(self, a: Rows, b: Rows) -> None:
        self._a, self._b, self._between = _kernel(a, a), _kernel(b, b), _kernel(a, b)

    def __call__(self, a: Rows, b: Rows, a_weights: Weights | None = None, b_weights: Weights | None = None) -> float:
        """Return the distance of the two sets, as often as each of their rows counts."""
        u = np.ones(len(a)) if a_weights is None else a_weights
        v = np.ones(len(b)) if b_weights is None else b_weights
        between = float(u @ self._between @ v) / float(u.sum() * v.sum())
        return _within(self._a, u) + _within(self._b, v) - 2 * between


class Pairs:
    """The distances of all pairs of images of one class: how much they differ."""

    def __init__(self, rows: Rows, labels: npt.NDArray[np.int64]) -> None:
        """Measure all pairs of (N, D) images with (N,) classes."""
        places = {int(label): np.flatnonzero(labels == label) for label in np.unique(labels)}
        self._of = {label: (place, _distances(rows[place], rows[place])) for label, place in places.items()}

    @property
    def classes(self) -> tuple[int, ...]:
        """Classes of which there are images."""
        return tuple(self._of)

    def mean(self, label: int, weights: Weights | None = None) -> float:
        """Return the mean distance of two images of a class; copies that a draw makes of one image are no pair.

        Args:
            weights: (N,) how often each image counts.
        """
        places, distances = self._of[label]
        w = np.ones(len(places)) if weights is None else weights[places]
        pairs = float(w.sum() ** 2 - (w**2).sum())
        return float(w @ distances @ w) / pairs if pairs > 0 else 0.0


def precision_recall(real: Rows, synthetic: Rows, *, neighbours: int = NEIGHBOURS) -> tuple[Figure, Figure]:
    """Return the share of synthetic images among the real ones, and of real ones among the synthetic.

    An image is among others if it is no further from one of them than that one's k-th nearest of its own kind.

    Source: Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991
    """
    between = _distances(real, synthetic)
    held = np.any(between <= _reach(real, neighbours)[:, None], axis=0)
    found = np.any(between <= _reach(synthetic, neighbours)[None, :], axis=1)
    return share_of(held), share_of(found)


def copies(synthetic: Rows, training: Rows, held_out: Rows) -> Copies:
    """Look for samples nearer to a training image than unseen real images are.

    Args:
        held_out: real images of other cases than the training images.
    """
    limit = float(np.percentile(_distances(held_out, training).min(axis=1), CLOSEST))
    distances = _distances(synthetic, training)
    nearest = distances.min(axis=1)
    return Copies(limit, share_of(nearest < limit), nearest, distances.argmin(axis=1))


def class_consistency(wanted: npt.NDArray[np.int64], found: npt.NDArray[np.int64]) -> Figure:
    """Return how often a classifier of real images names the class that was asked for."""
    return share_of(np.asarray(np.equal(wanted, found)))


def share_of(hits: npt.NDArray[np.bool_], z: float = 1.96) -> Figure:
    """Return a share with its Wilson interval."""
    total = len(hits)
    if not total:
        return Figure(0.0, 0.0, 1.0)
    share, spread_ = float(np.mean(hits)), z * z / total
    middle = (share + spread_ / 2) / (1 + spread_)
    half = z * float(np.sqrt(share * (1 - share) / total + spread_ / (4 * total))) / (1 + spread_)
    return Figure(share, max(middle - half, 0.0), min(middle + half, 1.0))


def interval(
    distance: Distance,
    synthetic: Rows,
    real: Rows,
    cases: npt.NDArray[np.str_] | None = None,
    *,
    least: float = -np.inf,
    rounds: int = 100,
    seed: int = 0,
) -> Figure:
    """Return a distance with the interval that drawing samples and whole cases again gives.

    Drawing again makes every such distance larger; the interval is therefore the spread of the draws about their own
    mean, put around the value.

    Args:
        cases: (N,) of the real images; each image is its own where None.
        least: value that the distance cannot fall below.
    """
    rng, value = np.random.default_rng(seed), distance(synthetic, real, None, None)
    names, member = np.unique(np.arange(len(real)) if cases is None else cases, return_inverse=True)
    draws = []
    for _ in range(rounds):
        u = np.bincount(rng.integers(len(synthetic), size=len(synthetic)), minlength=len(synthetic)).astype(float)
        v = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)).astype(float)[member]
        draws.append(distance(synthetic, real, u, v))
    low, high = np.percentile(np.array(draws) - np.mean(draws), (2.5, 97.5)) + value
    return Figure(value, max(float(low), least), float(high))


def spread(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> float:
    """Return how much images of one class differ: the mean distance of pairs, in gray levels; the mean over classes.

    Args:
        images: (N, H, W, 3) uint8; they are compared at 16 x 16.
    """
    groups = [shrink(images[labels == label]) for label in np.unique(labels)]
    means = [_distances(group, group).sum() / max(len(group) * (len(group) - 1), 1) for group in groups]
    return float(np.mean(means)) / float(np.sqrt(groups[0].shape[1]))


def shrink(images: npt.NDArray[np.uint8], side: int = _SMALL_PX) -> npt.NDArray[np.float64]:
    """Return (N, side * side * 3) float: each image at a small size, for distances of pixels."""
    count, height, width = images.shape[:3]
    rows, columns = height // side, width // side
    blocks = images[:, : rows * side, : columns * side].reshape(count, side, rows, side, columns, 3)
    return np.asarray(blocks.mean(axis=(2, 4), dtype=np.float64).reshape(count, -1))


def _moments(rows: Rows, weights: Weights | None) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    rows = np.asarray(rows, np.float64)
    weights = np.ones(len(rows)) if weights is None else weights
    mean = weights @ rows / weights.sum()
    centred = rows - mean
    return mean, (centred * weights[:, None]).T @ centred / max(weights.sum() - 1, 1)


def _root(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T)


def _kernel(a: Rows, b: Rows) -> npt.NDArray[np.float64]:
    return np.asarray((np.asarray(a, np.float64) @ np.asarray(b, np.float64).T / a.shape[1] + 1) ** 3)


def _within(kernel: npt.NDArray[np.float64], weights: Weights) -> float:
    """Mean over pairs of different images; copies that a draw makes of one image are no pair."""
    own = float((np.diag(kernel) * weights**2).sum())
    return (float(weights @ kernel @ weights) - own) / float(weights.sum() ** 2 - (weights**2).sum())


def _distances(a: Rows, b: Rows) -> npt.NDArray[np.float64]:
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    if a is b or (a.shape == b.shape and np.shares_memory(a, b)):
        np.fill_diagonal(squares, 0.0)
    return np.asarray(np.sqrt(np.clip(squares, 0, None)))


def _reach(rows: Rows, neighbours: int) -> npt.NDArray[np.float64]:
    distances = _distances(rows, rows)
    return np.asarray(np.sort(distances, axis=1)[:, min(neighbours, len(rows) - 1)])
