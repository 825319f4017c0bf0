"""What a data set is made of; `core.training.data` is the way in."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt


class Kind(StrEnum):
    """What a data set teaches: classes of single images, or pairs of H&E and IHC of one field."""

    CLASSES = "classes"
    PAIRS = "pairs"


class Subset(StrEnum):
    """What an image is used for."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


SUBSETS = (Subset.TRAIN, Subset.VAL, Subset.TEST)
"""By the number that stands for them in arrays."""


@dataclass(frozen=True)
class Item:
    """One image.

    Attributes:
        path: of the image; of the H&E in a pair.
        label: class as the data set names it, in this project's spelling ("3+", "PR-"); empty in pairs.
        case: patient or slide; the file's stem where it is unknown.
        subset: as the data set says; None where it is still to be split.
        partner: the IHC of a pair.
    """

    path: Path
    label: str
    case: str
    subset: Subset | None = None
    partner: Path | None = None


@dataclass(frozen=True)
class DataSet:
    """All images of one folder or table.

    Attributes:
        classes: in the order of a card's labels where they are one's, else sorted.
        cases_known: False where a split can only be by file, and may put one patient on both sides.
        notes: what was left out or assumed, in words.
    """

    root: Path
    kind: Kind
    items: tuple[Item, ...]
    classes: tuple[str, ...]
    cases_known: bool
    notes: tuple[str, ...] = ()


def subset_numbers(data: DataSet) -> npt.NDArray[np.int64]:
    """Return (N,) 0 train, 1 validation, 2 test for every image; images without subset train."""
    return np.array([SUBSETS.index(item.subset or Subset.TRAIN) for item in data.items], np.int64)


def rows_of(subsets: npt.NDArray[np.int64], subset: Subset) -> npt.NDArray[np.int64]:
    """Return the places of one subset in such numbers."""
    return np.flatnonzero(subsets == SUBSETS.index(subset)).astype(np.int64)
