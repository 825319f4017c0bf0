"""The figures of a generator's health, from what a classifier sees in its images."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.quality import generative
from core.quality.generative import Figure, Pairs, Rows, Weights
from core.quality.health import ClassFinding, FeatureMap, Finding, Judged, Labels, Measure
from core.quality.neighbours import TrainingIndex, nearest, nearest_rows
from core.types import Progress, no_progress

ROUNDS = 100
"""Times that images and cases are drawn again for an interval."""

MAPPED = 1000
"""Real tiles of each kind at most on the map."""

_STEP = "measuring, with intervals"
_DRAWN = 7
"""Figures whose interval needs drawing again."""


def judge(
    index: TrainingIndex,
    features: Rows,
    labels: Labels,
    *,
    small: Rows,
    named: Labels | None,
    progress: Progress = no_progress,
) -> Judged:
    """Judge synthetic images beside real training tiles: as many, of the same classes, drawn at random.

    Args:
        features: (N, 256) as `core.inference.tile_features.tile_features` returns them.
        labels: (N,) class that each image was asked for.
        small: (N, D) the images at a small size (`generative.shrink`).
        named: (N,) class that a classifier of real tiles gives each; None where none knows the classes.
    Raises:
        CancelledError: from `progress`.
    """
    return _Judge(index, features, labels, small, progress).judged(named)


class _Judge:
    """Synthetic images, training tiles of the same classes, and what both are held against."""

    def __init__(self, index: TrainingIndex, features: Rows, labels: Labels, small: Rows, progress: Progress) -> None:
        self.index, self.features, self.labels, self.progress = index, features, labels, progress
        self.chosen = _matching(index, labels)
        self.along, _ = index.project(features)
        self.synthetic = np.asarray(features, np.float64) * index.scale
        self.real = index.restore(index.features[self.chosen])
        self.held_out = index.restore(index.held_out)
        self.cases = index.held_out_cases.astype(str)
        self.varied, self.unseen = Pairs(self.along, labels), Pairs(index.held_out, index.held_out_labels)
        self.small, self.pictures = small / np.sqrt(small.shape[1]), Pairs(small / np.sqrt(small.shape[1]), labels)
        self.draws = 0

    def judged(self, named: Labels | None) -> Judged:
        """Return all figures."""
        variety, pictures = self._feature_variety(), self._picture_variety()
        precision, recall = self._overlap()
        findings = (
            self._frechet(),
            self._kernel(),
            precision,
            recall,
            self._consistency(named),
            self._memorised(),
            variety,
            pictures,
        )
        classes = tuple(self._of_class(label, named) for label in self.varied.classes)
        return Judged(findings, classes, _map(self.index, self.along, self.labels, self.chosen))

    def _frechet(self) -> Finding:
        figures = []
        for rows in (self.synthetic, self.real):
            a, b = _turned(rows, self.held_out)
            figures.append(self._interval(generative.frechet_distance, a, b, least=0.0))
        return self._finding(Measure.FRECHET, *figures)

    def _kernel(self) -> Finding:
        figures = [
            self._interval(generative.KernelDistance(rows, self.held_out), rows, self.held_out)
            for rows in (self.synthetic, self.real)
        ]
        return self._finding(Measure.KERNEL, *figures)

    def _overlap(self) -> tuple[Finding, Finding]:
        self.progress("looking for neighbours", 0, 1)
        (precision, recall), (real_precision, real_recall) = (
            generative.precision_recall(self.held_out, rows) for rows in (self.synthetic, self.real)
        )
        return (
            self._finding(Measure.PRECISION, precision, real_precision),
            self._finding(Measure.RECALL, recall, real_recall),
        )

    def _consistency(self, named: Labels | None) -> Finding:
        index = self.index
        known = bool((index.held_out_named >= 0).all())
        return Finding(
            Measure.CONSISTENCY,
            None if named is None else generative.class_consistency(self.labels, named),
            generative.class_consistency(index.held_out_labels, index.held_out_named) if known else None,
            images=len(self.labels),
            real_images=len(index.held_out),
        )

    def _memorised(self) -> Finding:
        index = self.index
        copied = np.array([each.memorised for each in nearest(index, self.features)], np.bool_)
        own = nearest_rows(index.held_out, index.features)[1] < index.limit
        shares = generative.share_of(copied), generative.share_of(own)
        return Finding(Measure.MEMORISED, *shares, images=len(copied), real_images=len(own))

    def _feature_variety(self) -> Finding:
        kept = self.index.features[self.chosen]
        fellows = Pairs(kept, self.index.labels[self.chosen])
        figures = []
        for pairs, rows in ((self.varied, self.along), (fellows, kept)):

            def share(_a: Rows, _b: Rows, u: Weights | None, v: Weights | None, pairs: Pairs = pairs) -> float:
                return _ratio([(pairs.mean(k, u), self.unseen.mean(k, v)) for k in pairs.classes])

            figures.append(self._interval(share, rows, self.index.held_out, least=0.0))
        return self._finding(Measure.FEATURE_VARIETY, *figures)

    def _picture_variety(self) -> Finding:
        index, classes = self.index, self.pictures.classes

        def share(_a: Rows, _b: Rows, u: Weights | None, _v: Weights | None) -> float:
            return _ratio([(self.pictures.mean(k, u), float(index.spread[k])) for k in classes])

        ratio = _ratio([(float(index.training_spread[k]), float(index.spread[k])) for k in classes])
        figure = self._interval(share, self.small, index.held_out, least=0.0)
        return self._finding(Measure.PICTURE_VARIETY, figure, Figure(ratio, ratio, ratio))

    def _of_class(self, label: int, named: Labels | None) -> ClassFinding:
        mine, theirs = self.labels == label, self.index.held_out_labels == label
        a, b = _turned(self.synthetic[mine], self.held_out[theirs])
        return ClassFinding(
            label=self.index.classes[label],
            count=int(mine.sum()),
            held_out=int(theirs.sum()),
            frechet=generative.frechet_distance(a, b),
            feature_variety=_ratio([(self.varied.mean(label), self.unseen.mean(label))]),
            picture_variety=_ratio([(self.pictures.mean(label), float(self.index.spread[label]))]),
            consistency=None if named is None else generative.class_consistency(self.labels[mine], named[mine]),
        )

    def _interval(self, distance: generative.Distance, a: Rows, b: Rows, *, least: float = -np.inf) -> Figure:
        def counted(a: Rows, b: Rows, u: Weights | None, v: Weights | None) -> float:
            total = _DRAWN * (ROUNDS + 1)
            self.progress(_STEP, min(self.draws, total), total)
            self.draws += 1
            return distance(a, b, u, v)

        return generative.interval(counted, a, b, self.cases, least=least, rounds=ROUNDS)

    def _finding(self, measure: Measure, synthetic: Figure, real: Figure) -> Finding:
        return Finding(measure, synthetic, real, images=len(self.labels), real_images=len(self.chosen))


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Mean over the classes of what synthetic images differ by, as a share of the same of real ones."""
    return sum(mine for mine, _ in pairs) / max(sum(theirs for _, theirs in pairs), 1e-12)


def _matching(index: TrainingIndex, labels: Labels) -> Labels:
    """Draw training tiles of the same classes: as many, or all where there are fewer."""
    rng = np.random.default_rng(0)
    rows = []
    for label in np.unique(labels):
        there = np.flatnonzero(index.labels == label)
        rows.append(rng.permutation(there)[: int((labels == label).sum())])
    return np.concatenate(rows).astype(np.int64)


def _turned(a: Rows, b: Rows) -> tuple[Rows, Rows]:
    """Both sets along the axes in which they vary at all: the same Fréchet distance from fewer numbers."""
    both = np.concatenate([a, b])
    values, vectors = np.linalg.eigh(np.cov(both, rowvar=False))
    axes = vectors[:, values > 1e-7 * values.sum()]
    return a @ axes, b @ axes


def _map(index: TrainingIndex, along: Rows, labels: Labels, chosen: Labels) -> FeatureMap:
    rows, held_out = (
        np.random.default_rng(2).permutation(count)[:MAPPED] for count in (len(chosen), len(index.held_out))
    )
    training, total = chosen[rows], float(index.features.var(axis=0).sum())
    first, second = (float(share) for share in index.features[:, :2].var(axis=0) / max(total, 1e-12))
    return FeatureMap(
        synthetic=_plane(along),
        synthetic_labels=labels,
        training=_plane(index.features[training]),
        training_labels=index.labels[training],
        training_rows=training,
        held_out=_plane(index.held_out[held_out]),
        held_out_labels=index.held_out_labels[held_out],
        shares=(first, second),
    )


def _plane(rows: Rows) -> npt.NDArray[np.float32]:
    return np.asarray(rows[:, :2], np.float32)
