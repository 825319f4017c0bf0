"""What a study trains, on which cases, in which order: no test case in anything that the tested classifier rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.errors import InvalidDataError, TrainingError
from core.training.config import StudyConfig
from core.training.data.items import DataSet

UNUSED, TRAIN, TEST = -1, 0, 2
"""Numbers that stand for what an image is used for, as in a tile cache; an unused one is in no subset."""

LEAST_IMAGES = 2
"""Training images of a class that are left however small the share."""


@dataclass(frozen=True, order=True)
class Arm:
    """One kind of training set.

    Attributes:
        ratio: synthetic images per real tile; 0 for real ones alone.
        filtered: those images passed the quality filter.
    """

    ratio: float = 0.0
    filtered: bool = False

    @property
    def name(self) -> str:
        """ "real", "+1", "+1 filtered"."""
        return f"+{self.ratio:g}{' filtered' if self.filtered else ''}" if self.ratio else "real"


REAL = Arm()


class Work(StrEnum):
    """The kinds of parts that a study consists of; also the kind of their line in `stats.jsonl`."""

    GENERATOR = "generator"
    FILTER = "filter"
    CELL = "cell"


@dataclass(frozen=True)
class Part:
    """One piece of work that is done as a whole: a generator, a filtering, or a classifier (a cell of the table).

    Attributes:
        share: of the real training tiles.
        fold: from 0.
        seed, arm: of a classifier.
    """

    work: Work
    share: float
    fold: int
    seed: int = 0
    arm: Arm = REAL

    @property
    def key(self) -> str:
        """Name that tells it apart in one study."""
        place = f"{self.share:g}/{self.fold}"
        return f"{self.work.value}/{place}" + (f"/{self.seed}/{self.arm.name}" if self.work is Work.CELL else "")

    @property
    def title(self) -> str:
        """What it does, in the user's words."""
        where = f"fold {self.fold + 1}" + (f", {self.share:.0%} of the tiles" if self.share < 1 else "")
        if self.work is Work.CELL:
            return f"classifier on {self.arm.name}, seed {self.seed}, {where}"
        return f"{'generator' if self.work is Work.GENERATOR else 'filtering synthetic images'}, {where}"


@dataclass(frozen=True)
class Sides:
    """Which images of a data set train and which test in one fold, at one share of the training images.

    Attributes:
        uses: (N,) for each image of the data set: `TRAIN`, `TEST` or `UNUSED`.
    """

    uses: npt.NDArray[np.int64]

    def cases(self, data: DataSet, use: int) -> frozenset[str]:
        """Return the cases of the images of one use."""
        return frozenset(data.items[index].case for index in np.flatnonzero(self.uses == use))


def arms_of(config: StudyConfig) -> tuple[Arm, ...]:
    """Return the kinds of training sets: real alone, then synthetic as it comes, then filtered."""
    plain = [Arm(ratio) for ratio in sorted(set(config.ratios))]
    return (REAL, *plain, *(Arm(ratio, filtered=True) for ratio in sorted(set(config.filtered_ratios))))


def parts_of(config: StudyConfig) -> tuple[Part, ...]:
    """Return all parts in the order in which they are done.

    All folds and arms of the first seed come before the second seed: what is done early compares like with like.
    """
    arms, parts = arms_of(config), []
    for share in sorted(set(config.real_shares), reverse=True):
        folds = range(config.folds)
        if len(arms) > 1:
            parts += [Part(Work.GENERATOR, share, fold) for fold in folds]
        for seed in range(config.seed, config.seed + config.seeds):
            for fold in folds:
                parts.append(Part(Work.CELL, share, fold, seed))
                if config.filtered_ratios and seed == config.seed:  # by the classifier that was just trained
                    parts.append(Part(Work.FILTER, share, fold))
                parts += [Part(Work.CELL, share, fold, seed, arm) for arm in arms[1:]]
    return tuple(parts)


def fold_cases(data: DataSet, folds: int, seed: int) -> tuple[frozenset[str], ...]:
    """Deal whole cases into folds, so that every fold has about its share of every class.

    Raises:
        InvalidDataError: there are too few cases of a class for every fold to test and to train it.
    """
    cases = sorted({item.case for item in data.items})
    counts = np.zeros((len(cases), len(data.classes)))
    for item in data.items:
        counts[cases.index(item.case), data.classes.index(item.label)] += 1
    for label, have in zip(data.classes, (counts > 0).sum(axis=0), strict=True):
        if have < folds:
            raise InvalidDataError(
                f"The class {label} has images of {have} cases, too few for {folds} folds: every fold tests on cases "
                "that nothing was trained on. Choose fewer folds, or add cases."
            )
    shares = counts / counts.sum(axis=0)
    missing = np.full((folds, len(data.classes)), 1 / folds)
    order = np.random.default_rng(seed).permutation(len(cases))
    order = order[np.argsort(-shares[order].max(axis=1), kind="stable")]
    dealt: list[set[str]] = [set() for _ in range(folds)]
    for row in order:
        fold = int(np.argmax((shares[row] * (2 * missing - shares[row])).sum(axis=1)))
        dealt[fold].add(cases[row])
        missing[fold] -= shares[row]
    for number, fold_ in enumerate(dealt, 1):
        _check_classes(data, fold_, number)
    return tuple(frozenset(each) for each in dealt)


def sides_of(data: DataSet, tested: frozenset[str], share: float, seed: int) -> Sides:
    """Say what trains and what tests in one fold.

    Args:
        tested: cases that test.
        share: of the other images that train, drawn from each class; the same images whatever is trained.
    """
    uses = np.full(len(data.items), UNUSED, np.int64)
    rng = np.random.default_rng([seed, 2])
    for label in data.classes:
        own = [index for index, item in enumerate(data.items) if item.label == label]
        uses[[index for index in own if data.items[index].case in tested]] = TEST
        others = np.array([index for index in own if data.items[index].case not in tested], np.int64)
        kept = max(round(share * len(others)), min(LEAST_IMAGES, len(others)))
        uses[rng.permutation(others)[:kept]] = TRAIN
    sides = Sides(uses)
    check_apart(sides.cases(data, TRAIN), sides.cases(data, TEST))
    return sides


def halves_of(data: DataSet, sides: Sides, seed: int) -> tuple[Sides, Sides]:
    """Divide the training images into two halves by case, each for a filter of its own.

    Raises:
        InvalidDataError: a class has one training case only.
    """
    train = sides.uses == TRAIN
    items = tuple(item for item, used in zip(data.items, train, strict=True) if used)
    try:
        first, second = fold_cases(DataSet(data.root, data.kind, items, data.classes, data.cases_known), 2, seed)
    except InvalidDataError as error:
        raise InvalidDataError(f"Two filters need two halves of the training cases. {error}") from error
    names = np.array([item.case for item in data.items])
    return (
        Sides(np.where(train & ~np.isin(names, list(second)), TRAIN, UNUSED)),
        Sides(np.where(train & ~np.isin(names, list(first)), TRAIN, UNUSED)),
    )


def check_apart(trained: frozenset[str], tested: frozenset[str]) -> None:
    """Make sure that no case that tests was learnt from.

    Raises:
        TrainingError: one was; the study would be worth nothing.
    """
    shared = sorted(trained & tested)
    if shared:
        raise TrainingError(
            f"The cases {', '.join(shared[:3])} are both trained and tested on: the study would answer nothing. "
            "Give every image the name of its case (CASE__name.png), and start a new run."
        )


def _check_classes(data: DataSet, fold: set[str], number: int) -> None:
    there = {item.label for item in data.items if item.case in fold}
    left = {item.label for item in data.items if item.case not in fold}
    lacking: Sequence[str] = [label for label in data.classes if label not in there or label not in left]
    if lacking:
        raise InvalidDataError(
            f"Fold {number} of the cases has no {lacking[0]} to test or to train on. Choose fewer folds, another "
            "seed, or add cases."
        )
