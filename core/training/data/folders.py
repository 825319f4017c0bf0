"""Data sets that are folders: a folder per class, train/val/test above them, BCI names, or H&E beside IHC."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InvalidDataError
from core.training.data.items import DataSet, Item, Kind, Subset
from core.training.data.naming import (
    BCI_NAME,
    HE_NAMES,
    IHC_NAMES,
    SUBSET_NAMES,
    is_image,
    list_folder,
    normalise_labels,
    order_classes,
    read_name,
    walk_files,
)

WRAPPERS = 4
"""A ZIP often holds one folder that holds the data; so many of them are looked through."""

NAMED = 5
"""Files that a note names; the others are counted."""


@dataclass
class Found:
    """What was found so far: images as (path, class, case or None, subset or None), and notes."""

    images: list[tuple[Path, str, str | None, Subset | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)


def open_folder(root: Path) -> DataSet:
    """Read the layout of a folder.

    Raises:
        InvalidDataError: it holds no images in a layout that is known.
    """
    base = unwrap(root)
    found = Found()
    sides = _pair_sides(base)
    paired = _pairs(root, [(None, *sides)]) if sides else None
    if paired:
        return paired
    if sides:
        found.notes.append(
            "HE and IHC hold no files of the same name, so that they were read as classes, not as pairs."
        )
    folders, files = list_folder(base)
    subsets = {path: SUBSET_NAMES[path.name.lower()] for path in folders if path.name.lower() in SUBSET_NAMES}
    if not subsets:
        _read_classes(base, None, found)
        return _classes(root, found)
    left_out = [path for path in folders if path not in subsets]
    if left_out:
        found.notes.append(f"Left out beside train, val and test: {_names(left_out)}.")
    found.others += files
    inner = [(subset, sides) for path, subset in subsets.items() if (sides := _pair_sides(path))]
    paired = _pairs(root, [(subset, *sides) for subset, sides in inner])
    if paired:
        return paired
    for path, subset in subsets.items():
        _read_classes(path, subset, found)
    return _classes(root, found)


def unwrap(root: Path) -> Path:
    """Step into a folder that holds nothing but one folder, unless that one is itself a class, a subset or a stain."""
    for _ in range(WRAPPERS):
        folders, files = list_folder(root)
        if len(folders) != 1 or any(is_image(path) or path.suffix.lower() == ".csv" for path in files):
            return root
        inner_folders, inner_files = list_folder(folders[0])
        named = folders[0].name.lower() in SUBSET_NAMES or normalise_labels([folders[0].name]) != {
            folders[0].name: folders[0].name
        }
        images = [path for path in inner_files if is_image(path)]
        flat = bool(images) and not all(BCI_NAME.fullmatch(path.stem) for path in images)
        if named or flat or not (inner_folders or inner_files):
            return root
        root = folders[0]
    return root


def _read_classes(folder: Path, subset: Subset | None, found: Found) -> None:
    """Collect images of class folders, or of a flat folder with BCI names."""
    folders, files = list_folder(folder)
    flat = [path for path in files if is_image(path)]
    found.others += [path for path in files if not is_image(path)]
    named = [(path, read_name(path.stem)) for path in flat]
    for path, parts in named:
        if parts.label is not None:
            found.images.append((path, parts.label, parts.case, subset or parts.subset))
    lost = [path for path, parts in named if parts.label is None]
    if lost and (folders or len(lost) < len(flat)):
        found.notes.append(f"{len(lost)} images lie in no class folder and were left out: {_names(lost)}.")
    elif lost:
        raise InvalidDataError(
            f"{folder.name} holds {len(lost)} images without classes ({_names(lost)}). Put them into one folder per "
            "class (for example PR- and PR+, or 0, 1+, 2+, 3+), or add a CSV file with the columns path and label."
        )
    case_folders = bool(folders) and all(_has_case_folders(each) for each in folders)
    for each in folders:
        _read_class(each, subset, found, case_folders=case_folders)


def _read_class(folder: Path, subset: Subset | None, found: Found, *, case_folders: bool) -> None:
    count = len(found.images)
    for path in walk_files(folder):
        if not is_image(path):
            found.others.append(path)
            continue
        parts, inside = read_name(path.stem), path.relative_to(folder).parts
        case = inside[0] if case_folders and len(inside) > 1 else parts.case
        found.images.append((path, folder.name, case, subset or parts.subset))
    if len(found.images) == count:
        found.notes.append(f"The folder {folder.name} holds no images and was left out.")


def _has_case_folders(folder: Path) -> bool:
    folders, files = list_folder(folder)
    return bool(folders) and not any(is_image(path) for path in files)


def _classes(root: Path, found: Found) -> DataSet:
    return classes_data(root, found.images, [*found.notes, *_others(found.others)])


def classes_data(
    root: Path, images: Sequence[tuple[Path, str, str | None, Subset | None]], notes: Iterable[str]
) -> DataSet:
    """Make a data set of classes from images as (path, class as written, case or None, subset or None).

    Raises:
        InvalidDataError: there are none.
    """
    if not images:
        raise InvalidDataError(
            f"No images were found in {root}. One folder per class is expected (for example PR- and PR+, or 0, 1+, 2+, "
            "3+) with PNG, JPEG or TIFF files, or a CSV file with the columns path and label."
        )
    notes = list(notes)
    spelling = normalise_labels(label for _, label, _, _ in images)
    renamed = [f"{old} as {new}" for old, new in spelling.items() if old != new]
    if renamed:
        notes.append(f"Classes were read as: {', '.join(renamed)}.")
    cases = _cases(root, [(path, case) for path, _, case, _ in images], notes)
    items = tuple(
        Item(path, spelling[label], case, subset) for (path, label, _, subset), case in zip(images, cases, strict=True)
    )
    known = all(case is not None for _, _, case, _ in images)
    return DataSet(root, Kind.CLASSES, items, order_classes(spelling.values()), known, tuple(notes))


def _cases(root: Path, images: Sequence[tuple[Path, str | None]], notes: list[str]) -> list[str]:
    """Name the case of every image: the file's stem where it is unknown, with its folders where that is not unique."""
    unknown = Counter(path.stem for path, case in images if case is None)
    if unknown and unknown.total() < len(images):
        notes.append(f"The case of {unknown.total()} of {len(images)} images is unknown; each counts as its own.")
    taken = {case for _, case in images if case is not None}
    return [
        case
        if case is not None
        else path.stem
        if unknown[path.stem] == 1 and path.stem not in taken
        else path.relative_to(root).as_posix()
        for path, case in images
    ]


def _pair_sides(folder: Path) -> tuple[Path, Path] | None:
    """The folders of H&E and IHC, where a folder has both."""
    folders, _ = list_folder(folder)
    by_name = {path.name.lower(): path for path in folders}
    he = next((by_name[name] for name in by_name if name in HE_NAMES), None)
    ihc = next((by_name[name] for name in by_name if name in IHC_NAMES), None)
    return (he, ihc) if he and ihc else None


def _pairs(root: Path, sides: Sequence[tuple[Subset | None, Path, Path]]) -> DataSet | None:
    """Match the files of HE and IHC folders by their names; None where nothing matches."""
    found = Found()
    rows: list[tuple[Path, Path, str | None, Subset | None]] = []
    single: list[Path] = []
    for subset, he_folder, ihc_folder in sides:
        he, ihc = (_by_place(folder, found) for folder in (he_folder, ihc_folder))
        single += [path for place, path in (he | ihc).items() if (place in he) != (place in ihc)]
        for place in sorted(he.keys() & ihc.keys()):
            parts = read_name(he[place].stem)
            folder = place.split("/")[0]
            rows.append((he[place], ihc[place], parts.case, subset or SUBSET_NAMES.get(folder) or parts.subset))
    if not rows:
        return None
    notes = _others(found.others)
    if single:
        notes.append(f"{len(single)} images have no partner of the same name and were left out: {_names(single)}.")
    cases = _cases(root, [(he, case) for he, _, case, _ in rows], notes)
    items = tuple(Item(he, "", case, subset, ihc) for (he, ihc, _, subset), case in zip(rows, cases, strict=True))
    return DataSet(root, Kind.PAIRS, items, (), all(case is not None for _, _, case, _ in rows), tuple(notes))


def _by_place(folder: Path, found: Found) -> dict[str, Path]:
    files = list(walk_files(folder))
    found.others += [path for path in files if not is_image(path)]
    return {path.relative_to(folder).with_suffix("").as_posix().lower(): path for path in files if is_image(path)}


def _others(paths: Sequence[Path]) -> list[str]:
    return [f"{len(paths)} files are no images and were left out: {_names(paths)}."] if paths else []


def _names(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(path.name for path in paths[:NAMED]) + more
