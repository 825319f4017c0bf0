"""How good a generator is: its images against real ones that it never saw, and real training tiles against the same.

Everything is told in the feature space of the generator's training index. A figure alone says little: the same figure
of real tiles is beside it, for as many images.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.errors import InvalidOptionError
from core.quality.generative import Figure
from core.quality.neighbours import TrainingIndex

Labels = npt.NDArray[np.int64]

COLLAPSED, NARROW = 0.25, 0.6
"""Images of a class that differ by less than this share of what real ones differ by: nearly one image, and too little
variety. A generator that ignores its noise has 0, the plain published form after 800 batches 0.09, the bundled one 0.7
in its poorer class."""

MIN_COUNT, MAX_COUNT = 50, 2000
"""Below, the figures say nothing; above, they take minutes and change no more."""


class Measure(StrEnum):
    """What is measured of a generator."""

    FRECHET = "frechet"
    KERNEL = "kernel"
    PRECISION = "precision"
    RECALL = "recall"
    CONSISTENCY = "class_consistency"
    MEMORISED = "memorised_share"
    FEATURE_VARIETY = "feature_variety"
    PICTURE_VARIETY = "picture_variety"


class Level(StrEnum):
    """How alike a generator's images are."""

    VARIED = "varied"
    NARROW = "narrow"
    COLLAPSED = "collapsed"


@dataclass(frozen=True)
class Finding:
    """One figure of synthetic images, and the same of real ones.

    Attributes:
        synthetic, real: with 95 % interval; None where it cannot be told.
        images, real_images: that each of the two rests on, beside the held-out tiles that both are held against.
    """

    measure: Measure
    synthetic: Figure | None
    real: Figure | None
    images: int
    real_images: int


@dataclass(frozen=True)
class ClassFinding:
    """Figures of one class.

    Attributes:
        count, held_out: synthetic images and held-out tiles of it.
        feature_variety, picture_variety: how much its images differ, as a share of what held-out tiles differ by.
        consistency: None where no classifier knows the classes.
    """

    label: str
    count: int
    held_out: int
    frechet: float
    feature_variety: float
    picture_variety: float
    consistency: Figure | None


@dataclass(frozen=True)
class FeatureMap:
    """Images on the two axes along which training tiles vary most.

    Attributes:
        synthetic, training, held_out: (N, 2) float32; real tiles are drawn at random where there are many.
        *_labels: (N,) class index. training_rows: (N,) row in the index.
        shares: of the variance of the training tiles along each axis.
    """

    synthetic: npt.NDArray[np.float32]
    synthetic_labels: Labels
    training: npt.NDArray[np.float32]
    training_labels: Labels
    training_rows: Labels
    held_out: npt.NDArray[np.float32]
    held_out_labels: Labels
    shares: tuple[float, float]


@dataclass(frozen=True)
class Judged:
    """All figures of a set of synthetic images."""

    findings: tuple[Finding, ...]
    per_class: tuple[ClassFinding, ...]
    map: FeatureMap

    @property
    def level(self) -> Level:
        """How alike images are in the class where they are most alike."""
        levels = {level_of(found) for found in self.per_class}
        return next(level for level in (Level.COLLAPSED, Level.NARROW, Level.VARIED) if level in levels)

    def of(self, measure: Measure) -> Finding:
        """Return one of the figures."""
        return next(found for found in self.findings if found.measure is measure)


def check_count(count: int) -> None:
    """Check how many images somebody asks for.

    Raises:
        InvalidOptionError: so few say nothing, or so many take too long.
    """
    if not MIN_COUNT <= count <= MAX_COUNT:
        raise InvalidOptionError(
            f"The number of images is {count:,}; {MIN_COUNT} to {MAX_COUNT:,} are sampled for these figures."
        )


def share_out(index: TrainingIndex, count: int) -> tuple[int, ...]:
    """Return how many images of each class to make, as frequent as among the held-out tiles; at least two of each.

    Raises:
        InvalidOptionError: as `check_count`.
    """
    check_count(count)
    real = np.bincount(index.held_out_labels, minlength=len(index.classes))
    exact = count * real / real.sum()
    counts = np.maximum(np.floor(exact).astype(int), np.where(real > 0, 2, 0))
    for label in np.argsort(np.floor(exact) - exact)[: max(count - int(counts.sum()), 0)]:
        counts[label] += 1
    return tuple(int(each) for each in counts)


def level_of(found: ClassFinding) -> Level:
    """Return how alike the images of a class are."""
    variety = min(found.feature_variety, found.picture_variety)
    if variety < COLLAPSED:
        return Level.COLLAPSED
    return Level.NARROW if variety < NARROW else Level.VARIED
