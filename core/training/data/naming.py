"""What the names of folders and files say: class, case, subset, and whether a file is an image at all."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from core.errors import InvalidDataError
from core.labels import CLASSES, Marker
from core.training.data.class_folders import CASE_END
from core.training.data.items import Subset

IMAGE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".svs"})

JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini", "dataset.json"})
"""What operating systems and this workbench leave in folders; names that start with a point are junk too."""

SUBSET_NAMES = {
    "train": Subset.TRAIN,
    "training": Subset.TRAIN,
    "val": Subset.VAL,
    "valid": Subset.VAL,
    "validation": Subset.VAL,
    "test": Subset.TEST,
    "testing": Subset.TEST,
}

HE_NAMES, IHC_NAMES = frozenset({"he", "h&e", "h_e", "h-e"}), frozenset({"ihc"})

BCI_NAME = re.compile(r"(?P<case>\d+)_(?P<subset>train|val|test)_(?P<label>0|1\+|2\+|3\+)")
"""Files of the BCI data set: `00012_train_2+.png`."""

MIST_NAME = re.compile(r"(?P<case>\d+M\d+)_\d+_\d+")
"""Files of the MIST data set: case, column, row (`15M2102762_15_26.jpg`)."""

_HER2_NAMES = {"0": "0", "1": "1+", "2": "2+", "3": "3+", "1+": "1+", "2+": "2+", "3+": "3+"}
_PR_NAMES = {
    **dict.fromkeys(("pr+", "pr_pos", "pr_positive", "positive", "pos"), "PR+"),
    **dict.fromkeys(("pr-", "pr_neg", "pr_negative", "negative", "neg"), "PR-"),
}


@dataclass(frozen=True)
class NamedParts:
    """What a file's name says; None where it says nothing."""

    case: str | None = None
    subset: Subset | None = None
    label: str | None = None


def read_name(stem: str) -> NamedParts:
    """Read the name of an image without its ending: `00012_train_2+`, or `CASE__anything`."""
    bci = BCI_NAME.fullmatch(stem)
    if bci:
        return NamedParts(bci["case"], Subset(bci["subset"]), bci["label"])
    mist = MIST_NAME.fullmatch(stem)
    if mist:
        return NamedParts(case=mist["case"])
    case, found, _ = stem.partition(CASE_END)
    return NamedParts(case=case if found and case else None)


def normalise_labels(names: Iterable[str]) -> dict[str, str]:
    """Spell the classes of one data set as this project does, where all of them are HER2 scores or PR status.

    Returns:
        Each name with its spelling; names that are neither stay as they are.
    """
    found = sorted(set(names))
    for spelling in (_HER2_NAMES, _PR_NAMES):
        if all(name.lower() in spelling for name in found):
            return {name: spelling[name.lower()] for name in found}
    return {name: name for name in found}


def order_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Put classes in the order of a card where they are one's, else sort them, numbers by value."""
    found = set(labels)
    for order in (CLASSES[Marker.HER2], CLASSES[Marker.PR]):
        if found <= set(order):
            return tuple(label for label in order if label in found)
    return tuple(sorted(found, key=_by_number))


def is_image(path: PurePath) -> bool:
    """Tell by its ending whether a file may be an image."""
    return path.suffix.lower() in IMAGE_ENDINGS


def is_junk(name: str) -> bool:
    """Tell whether a file or folder is a by-product that nobody meant to be there."""
    return name.startswith(".") or name.lower() in JUNK


def list_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the subfolders and the files of a folder, junk left out, in the order of their names.

    Raises:
        InvalidDataError: the folder is gone or may not be read.
    """
    try:
        found = sorted((path for path in folder.iterdir() if not is_junk(path.name)), key=lambda path: path.name)
        return [path for path in found if path.is_dir()], [path for path in found if path.is_file()]
    except OSError as error:
        raise InvalidDataError(
            f"The folder {folder} cannot be read ({error.strerror}). Check that it is still there and that the "
            "workbench may read it."
        ) from error


def walk_files(folder: Path, *, seen: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield all files below a folder in a fixed order; links are followed, circles of them are not."""
    here = os.path.realpath(folder)
    if here in seen:
        return
    folders, files = list_folder(folder)
    yield from files
    for each in folders:
        yield from walk_files(each, seen=seen | {here})


def _by_number(label: str) -> tuple[int, str]:
    number = re.match(r"\d+", label)
    return (int(number.group()) if number else 10**9, label)
