"""A small index of made-up features, for tests of neighbours and of a generator's health."""

import numpy as np

from core.quality.neighbours import TrainingIndex, nearest_rows, principal_axes

WIDTH, KEPT, TILES, HELD_OUT = 256, 64, 300, 60


def make_features(count: int, *, seed: int) -> np.ndarray:
    """Features that vary along 40 directions only."""
    basis = np.random.default_rng(7).normal(0, 1, (40, WIDTH))
    return np.random.default_rng(seed).normal(0, 1, (count, 40)) @ basis


def make_index(training: np.ndarray, held_out: np.ndarray) -> TrainingIndex:
    """An index of two classes that take turns; ten held-out tiles a case."""
    mean, axes = training.mean(axis=0), principal_axes(training, KEPT)
    kept, others = ((rows - mean) @ axes for rows in (training, held_out))
    distances = nearest_rows(others, kept)[1]
    return TrainingIndex(
        classes=("PR-", "PR+"),
        features=kept.astype(np.float32),
        labels=np.arange(len(training)) % 2,
        names=tuple(f"PR{'-+'[row % 2]}/case__{row:05d}.png" for row in range(len(training))),
        pixel_sha=tuple(f"{row:016x}" for row in range(len(training))),
        held_out=others.astype(np.float32),
        held_out_labels=np.arange(len(held_out)) % 2,
        held_out_cases=np.arange(len(held_out)) // 10,
        held_out_named=np.arange(len(held_out)) % 2,
        spread=np.array([10.0, 20.0]),
        training_spread=np.array([11.0, 21.0]),
        limit=float(np.percentile(distances, 5)),
        real_median=float(np.median(distances)),
        scale=np.ones(WIDTH, np.float32),
        mean=mean.astype(np.float32),
        axes=axes.astype(np.float32),
        weights_sha256="a" * 64,
        features_sha256="b" * 64,
    )
