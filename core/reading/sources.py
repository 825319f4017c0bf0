"""Where the images of a reader test come from: a data set, uploaded files, a collection, or a generator."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from core.db import User
from core.errors import InvalidDataError
from core.images import safe_name
from core.jobs.datasets import get_dataset
from core.training.data import DataSet, Item, Kind, open_data
from core.training.data.naming import is_image, is_junk, walk_files
from core.training.data.unpacking import unpack


@dataclass(frozen=True)
class StoredSet:
    """A data set of the page Training."""

    dataset_id: str


@dataclass(frozen=True)
class Uploads:
    """Files that were uploaded: images, or ZIPs of images; name and bytes."""

    files: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class FromCollection:
    """Kept synthetic images."""

    collection_id: str


@dataclass(frozen=True)
class Fresh:
    """Images sampled for this test alone, by the generator of this name."""

    model: str


RealSource = StoredSet | Uploads
SyntheticSource = FromCollection | Fresh


@contextmanager
def opened(user: User, source: RealSource) -> Iterator[DataSet]:
    """The images of a source; uploaded files lie in a folder of their own meanwhile.

    Raises:
        NotFoundError: the data set is somebody else's, or gone.
        InvalidDataError: there are no images.
    """
    if isinstance(source, StoredSet):
        yield _one_side(open_data(get_dataset(user, source.dataset_id).folder))
        return
    with tempfile.TemporaryDirectory(prefix="reading-") as name:
        yield _one_side(_uploaded(source, Path(name)))


def _uploaded(source: Uploads, folder: Path) -> DataSet:
    """Unpack and write what was uploaded; classes where a single ZIP has them, else one class without a name."""
    for number, (name, data) in enumerate(source.files):
        place = folder / f"{number:05d}"
        if name.lower().endswith(".zip"):
            unpack(data, place)
        else:
            place.mkdir()
            (place / safe_name(name)).write_bytes(data)
    if len(source.files) == 1 and source.files[0][0].lower().endswith(".zip"):
        try:
            return open_data(folder / "00000")
        except InvalidDataError:
            pass  # images without classes are as good here
    paths = [path for path in walk_files(folder) if is_image(path) and not is_junk(path.name)]
    if not paths:
        raise InvalidDataError("There are no images. Upload PNG, JPEG or TIFF files, or a ZIP of them.")
    items = tuple(Item(path, "", str(number)) for number, path in enumerate(paths))
    return DataSet(folder, Kind.CLASSES, items, ("",), cases_known=False)


def _one_side(data: DataSet) -> DataSet:
    """The IHC of pairs, as images without classes; classes stay as they are."""
    if data.kind is not Kind.PAIRS:
        return data
    items = tuple(replace(item, path=item.partner, partner=None) for item in data.items if item.partner is not None)
    return replace(data, kind=Kind.CLASSES, items=items, classes=("",))
