"""Splitting a data set into training, validation and test: by case, in the proportions of the classes."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.errors import InvalidDataError, InvalidOptionError
from core.training.data.items import SUBSETS, DataSet, Item, Kind, Subset

TRAIN, VAL, TEST = range(3)

FEW_CASES = 3
"""A class needs this many cases for training, validation and test to have one each."""


@dataclass(frozen=True)
class _Groups:
    """Cases as the unit of the split.

    Attributes:
        counts: (G, C) images of each class in each case.
        members: items of each case.
        fixed: (G,) index of the subset that the data set gives, -1 where it gives none.
    """

    counts: npt.NDArray[np.int64]
    members: tuple[tuple[int, ...], ...]
    fixed: npt.NDArray[np.int64]


def split(data: DataSet, val_share: float, test_share: float, seed: int) -> DataSet:
    """Say for every image whether it trains, validates or tests.

    Whole cases go to one side, so that every class has about its share everywhere. Subsets that the data set gives are
    kept; what it does not give is taken from the training images. The same seed gives the same split.

    Args:
        val_share, test_share: of the images, in [0, 1); what is left trains.
    Raises:
        InvalidDataError: there is one class only, a class with one image, or nothing to train on.
    """
    if val_share + test_share >= 1:
        raise InvalidOptionError(
            f"Validation ({val_share:.0%}) and test ({test_share:.0%}) leave nothing to train on. Lower one of them."
        )
    check_trainable(data)
    data = _forget_useless(data)
    given = {item.subset for item in data.items}
    notes = list(data.notes)
    shares = np.array([0.0, val_share, test_share])
    groups = _group(data)
    if Subset.VAL in given and Subset.TEST not in given and None not in given:
        shares[TEST] = 0.0
        notes.append("The data set has no test images: the final figures are those of its validation images.")
    for index in (VAL, TEST):
        if SUBSETS[index] in given:
            shares[index] = 0.0
    _lower_to_what_there_is(groups, shares, notes)
    places = _assign(groups, shares, seed)
    subsets = np.zeros(len(data.items), np.int64)
    for members, place in zip(groups.members, places, strict=True):
        subsets[list(members)] = place
    items = tuple(replace(item, subset=SUBSETS[place]) for item, place in zip(data.items, subsets, strict=True))
    done = replace(data, items=items, notes=tuple(notes))
    _check_training_side(done)
    if val_share > 0 and all(item.subset is not Subset.VAL for item in items):
        notes.append("There are too few cases to hold any back for validation: the best weights are chosen blindly.")
    return replace(done, notes=(*notes, *_missing_classes(done)))


def check_trainable(data: DataSet) -> None:
    """Refuse a data set from which nothing can be learned.

    Raises:
        InvalidDataError: no images, one class only, a class with one image, or a single pair.
    """
    if data.kind is Kind.PAIRS:
        if len(data.items) < 2:
            raise InvalidDataError("There is one pair only; at least 2 are needed, one of them to check the result on.")
        return
    counts = {label: sum(item.label == label for item in data.items) for label in data.classes}
    if len(counts) < 2:
        raise InvalidDataError(
            f"All {len(data.items)} images are of the class {next(iter(counts), 'unknown')!r}; at least two "
            "classes are needed. Add a folder with images of another class."
        )
    single = [label for label, count in counts.items() if count < 2]
    if single:
        raise InvalidDataError(
            f"The class {single[0]} has one image only; at least 2 are needed, one to train on and one to check the "
            "result on. Add images, or take the class out."
        )


def _forget_useless(data: DataSet) -> DataSet:
    """Drop subsets that the data set gives where all of it has the same: there is nothing to hold against it."""
    given = {item.subset for item in data.items}
    if len(given) > 1 or None in given:
        return data
    note = f"All images are called {next(iter(given))}; they were split anew."
    items = tuple(replace(item, subset=None) for item in data.items)
    return replace(data, items=items, notes=(*data.notes, note))


def _group(data: DataSet) -> _Groups:
    """Put the items of one case together; a case on several given sides is one group per side."""
    classes = {label: index for index, label in enumerate(data.classes)} or {"": 0}
    sides_of: dict[str, set[Subset]] = {}
    for item in data.items:
        if item.subset is not None:
            sides_of.setdefault(item.case, set()).add(item.subset)
    found: dict[tuple[str, Subset | None], list[int]] = {}
    for index, item in enumerate(data.items):
        found.setdefault((item.case, _side(item, sides_of)), []).append(index)
    keys = sorted(found, key=lambda key: (key[0], key[1] or ""))
    counts = np.zeros((len(keys), len(classes)), np.int64)
    for row, key in enumerate(keys):
        for index in found[key]:
            counts[row, classes[data.items[index].label]] += 1
    # Training images are free where they may be needed for a subset that is missing.
    complete = {Subset.VAL, Subset.TEST} <= {item.subset for item in data.items}
    free = (None,) if complete else (None, Subset.TRAIN)
    fixed = np.array([-1 if side in free else SUBSETS.index(side) for _, side in keys], np.int64)
    return _Groups(counts, tuple(tuple(found[key]) for key in keys), fixed)


def _side(item: Item, sides_of: dict[str, set[Subset]]) -> Subset | None:
    """Where an item belongs: as given, else where its case is given."""
    if item.subset is not None:
        return item.subset
    sides = sides_of.get(item.case, set())
    return next((side for side in (Subset.TEST, Subset.VAL, Subset.TRAIN) if side in sides), None)


def _lower_to_what_there_is(groups: _Groups, shares: npt.NDArray[np.float64], notes: list[str]) -> None:
    """Leave out the test, then the validation, where a class has too few cases for it."""
    free = groups.fixed < 0
    cases = (groups.counts[free] > 0).sum(axis=0)
    fewest = int(cases[cases > 0].min(initial=FEW_CASES)) if free.any() else 0
    if shares[TEST] > 0 and fewest < (FEW_CASES if shares[VAL] > 0 else 2):
        shares[TEST] = 0.0
        notes.append(
            "There are too few cases for a test subset: every class needs at least three. The final figures are those "
            "of the validation images, which also chose the weights, and are too good."
        )


def _assign(groups: _Groups, shares: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.int64]:
    """Give every group its subset: the largest first, each to where the most of its classes is missing."""
    places = groups.fixed.copy()
    free = np.flatnonzero(places < 0)
    counts = groups.counts[free]
    totals = np.maximum(counts.sum(axis=0), 1).astype(np.float64)
    shares = shares.copy()
    shares[TRAIN] = 1.0 - shares.sum()
    missing = shares[:, None] * counts.sum(axis=0)  # (3, C)
    usable = np.flatnonzero(shares > 0).astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(free))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    for row in order:
        weight = counts[row] / totals**2
        # Change of the sum of squared gaps, relative to the size of the class, when the group goes to each subset.
        gain = (weight * (2 * missing[usable] - counts[row])).sum(axis=1)
        place = int(usable[np.argmax(gain)])
        places[free[row]] = place
        missing[place] -= counts[row]
    return _fill_gaps(groups.counts, places, free, usable)


def _fill_gaps(
    counts: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    free: npt.NDArray[np.int64],
    usable: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Move the smallest suitable case to a subset that lacks a class, training first."""
    for place in usable:
        for label in range(counts.shape[1]):
            if counts[places == place, label].any():
                continue
            donors = [row for row in free if counts[row, label] and _can_leave(counts, places, row)]
            if donors:
                places[min(donors, key=lambda row: int(counts[row].sum()))] = place
    return places


def _can_leave(counts: npt.NDArray[np.int64], places: npt.NDArray[np.int64], row: int) -> bool:
    """Whether the subset that a case is in keeps all its classes without it."""
    others = places == places[row]
    others[row] = False
    return bool((counts[others].sum(axis=0) > 0)[counts[row] > 0].all())


def _check_training_side(data: DataSet) -> None:
    train = {item.label for item in data.items if item.subset is Subset.TRAIN}
    absent = [label for label in data.classes if label not in train]
    if not train or absent:
        what = f"The class {absent[0]} has no image to train on" if absent else "No image is left to train on"
        raise InvalidDataError(
            f"{what}: all of them are given as validation or test, or belong to one case. Move some to train."
        )


def _missing_classes(data: DataSet) -> list[str]:
    notes = []
    for subset, name in ((Subset.VAL, "validation"), (Subset.TEST, "test")):
        there = {item.label for item in data.items if item.subset is subset}
        absent = [label for label in data.classes if label not in there]
        if there and absent:
            notes.append(f"The {name} images show no {', '.join(absent)}: nothing is known about that class there.")
    return notes
