"""Which H&E images were given, which class each has, and which real IHC shows the same field."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

from core.errors import InvalidDataError, InvalidImageError
from core.labels import CLASSES, Marker
from core.training.data.items import Subset
from core.training.data.naming import (
    HE_NAMES,
    IHC_NAMES,
    SUBSET_NAMES,
    is_image,
    normalise_labels,
    read_name,
    walk_files,
)
from core.training.data.unpacking import unpack
from core.types import Progress, no_progress

ZIP_START = b"PK"
KNOWN_CLASSES = (*CLASSES[Marker.HER2], *CLASSES[Marker.PR])
MOST = 2_000
"""Images that are stained in one go; more are named in a note and left out."""

Named = tuple[str, bytes]
"""Name and bytes of an upload."""


@dataclass(frozen=True)
class Source:
    """One H&E image that is to be stained.

    Attributes:
        name: of its file.
        label: class that its name or folder says; "" where neither does.
        read: returns its bytes; raises InvalidImageError where the file cannot be read.
        real: likewise of the real IHC of the same field; None where none was given.
    """

    name: str
    label: str
    read: Callable[[], bytes]
    real: "Source | None" = None


@dataclass(frozen=True)
class Sources:
    """All that was given, with what was left out, in words."""

    images: tuple[Source, ...]
    notes: tuple[str, ...] = ()


def gather_uploads(
    uploads: Sequence[Named], reals: Sequence[Named], folder: Path, progress: Progress = no_progress
) -> Sources:
    """Sort uploaded images and ZIPs of images into H&E and the real IHC of the same fields.

    Args:
        uploads: images, or ZIPs of them; a ZIP may hold the folders HE and IHC, or one folder per class.
        reals: real IHC, by the same file names; a single one belongs to a single image whatever its name.
        folder: empty; ZIPs are unpacked into it, and it has to outlive what is returned.
    Raises:
        InvalidDataError: nothing to stain.
        TooLargeError, StorageError: a ZIP is too large, or the disk is full.
    """
    notes: list[str] = []
    images, paired = _gathered(uploads, folder / "images", notes, progress)
    more, also = _gathered(reals, folder / "real", notes, progress)
    return _checked(_paired(images, [*paired, *more, *also], alone=len(images) == 1 and len(reals) == 1), notes)


def gather_folder(path: Path) -> Sources:
    """Sort the images of a folder, or one image, likewise.

    Raises:
        InvalidDataError: there are no images in it.
    """
    if not path.is_dir():
        return Sources((_from_disk(path, PurePath(path.name)),))
    images, reals = _split(path)
    if not images:
        raise InvalidDataError(f"{path} holds no images to stain. PNG, JPEG or TIFF files of H&E are expected.")
    return _checked(_paired(images, reals), [])


def _gathered(
    uploads: Sequence[Named], folder: Path, notes: list[str], progress: Progress
) -> tuple[list[Source], list[Source]]:
    """Return the H&E and the IHC of some uploads."""
    images: list[Source] = []
    reals: list[Source] = []
    for number, (name, data) in enumerate(uploads):
        if data.startswith(ZIP_START):
            place = folder / str(number)
            notes += unpack(data, place, progress=progress).notes
            found = _split(place)
            images += found[0]
            reals += found[1]
        else:
            images.append(Source(PurePath(name).name, label_of(PurePath(name)), partial(_same, data)))
    return images, reals


def _split(folder: Path) -> tuple[list[Source], list[Source]]:
    """Return what lies in folders called IHC as real IHC where there are folders called HE too; all else is H&E."""
    found = [(path, path.relative_to(folder)) for path in walk_files(folder) if is_image(path)]
    pairs = any(_lies_in(place, HE_NAMES) for _, place in found)
    images = [_from_disk(path, place) for path, place in found if not (pairs and _lies_in(place, IHC_NAMES))]
    reals = [_from_disk(path, place) for path, place in found if pairs and _lies_in(place, IHC_NAMES)]
    return images, reals


def _paired(images: Sequence[Source], reals: Sequence[Source], *, alone: bool = False) -> list[Source]:
    if alone and len(reals) == 1:
        return [replace(images[0], real=reals[0])]
    by_name = {PurePath(real.name).stem.lower(): real for real in reals}
    return [replace(image, real=by_name.get(PurePath(image.name).stem.lower())) for image in images]


def _checked(images: Sequence[Source], notes: Iterable[str]) -> Sources:
    if not images:
        raise InvalidDataError("There is nothing to stain: no H&E image was given, only IHC. Add the H&E images.")
    left = len(images) - MOST
    more = (f"{left:,} images were left out: at most {MOST:,} are stained in one go.",) if left > 0 else ()
    return Sources(tuple(images[:MOST]), (*notes, *more))


def label_of(place: PurePath) -> str:
    """Return the class that a file's name or the nearest of its folders says; "" where neither says one."""
    named = read_name(place.stem).label
    if named is not None:
        return named
    for part in reversed(place.parts[:-1]):
        if part.lower() in {*HE_NAMES, *IHC_NAMES, *SUBSET_NAMES, *Subset}:
            continue
        label = normalise_labels([part])[part]
        return label if label in KNOWN_CLASSES else ""
    return ""


def _lies_in(place: PurePath, names: frozenset[str]) -> bool:
    return any(part.lower() in names for part in place.parts[:-1])


def _from_disk(path: Path, place: PurePath) -> Source:
    return Source(path.name, label_of(place), partial(_read, path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidImageError(f"{path.name} cannot be read ({reason}).") from error


def _same(data: bytes) -> bytes:
    return data
