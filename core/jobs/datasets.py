"""Uploaded images to train on: DATA_DIR/datasets/<id>/ with dataset.json and images/."""

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import IO

from pydantic import TypeAdapter, ValidationError

from core.auth import require
from core.config import get_settings
from core.db import User
from core.db.clock import utc_now
from core.errors import ConflictError, InvalidDataError, NotFoundError, StorageError, TooLargeError
from core.images import safe_name
from core.jobs.names import clean_name
from core.jobs.records import is_id, iter_jobs, new_id
from core.jobs.runs import RESEARCHERS
from core.labels import Role
from core.png_text import fast_png
from core.training.data import DataSet, Kind, open_data
from core.training.data.unpacking import MAX_FILES, unpack
from core.types import Progress, RGBImage, no_progress

logger = logging.getLogger(__name__)

_UNFINISHED, _GONE = ".new-", ".deleted-"
_FREE_BYTES = 50_000_000
"""What a data set that is written image by image leaves free on the disk."""
_REPORT_EVERY = 50

LabelledImage = tuple[str, str, RGBImage]
"""Class, name of the file, and the image (H, W, 3) uint8 RGB."""


@dataclass(frozen=True)
class StoredData:
    """One uploaded data set.

    Attributes:
        created: UTC.
        bytes, files: what it takes on the disk.
        notes: what of the upload was left out, or what the images are, in words.
    """

    id: str
    owner_id: int
    owner: str
    name: str
    created: datetime
    bytes: int
    files: int
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """What to train on."""
        return dataset_folder() / self.id / "images"


_ADAPTER = TypeAdapter(StoredData)


def dataset_folder() -> Path:
    """Return the folder of all uploads."""
    return get_settings().data_dir.resolve() / "datasets"


def add_upload(
    user: User, name: str, archive: Path | bytes | IO[bytes], *, progress: Progress = no_progress
) -> StoredData:
    """Unpack a ZIP of images and keep it for this user.

    Args:
        name: as the user calls it, or the name of the file.
        archive: the ZIP: a path, its bytes, or an open file.
        progress: told about the unpacking.
    Raises:
        InvalidDataError: it is no ZIP, leads out of its folder, or holds nothing to train on.
        TooLargeError: it unpacks to more than is allowed.
        StorageError: the disk refused it; nothing is left behind.
        PermissionDeniedError: the user trains nothing.
    """
    require(user, *RESEARCHERS)
    now = utc_now()
    dataset_id = new_id(now)
    unfinished = dataset_folder() / f"{_UNFINISHED}{dataset_id}"
    with _in_words():
        unfinished.mkdir(mode=0o700, parents=True)
        try:
            images = unpack(archive, unfinished / "images", progress=progress)
            if not all(place.is_relative_to(images.folder) for place in places_of(open_data(images.folder))):
                raise InvalidDataError("The table names files that are no part of the ZIP. Put all images into it.")
            title = clean_name(name.removesuffix(".zip"))
            stored = StoredData(dataset_id, user.id, user.name, title, now, images.bytes, images.files, images.notes)
            (unfinished / "dataset.json").write_bytes(_ADAPTER.dump_json(stored))
            unfinished.rename(dataset_folder() / dataset_id)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return stored


def add_images(
    user: User,
    name: str,
    images: Iterable[LabelledImage],
    progress: Progress = no_progress,
    *,
    text: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
    total: int | None = None,
) -> StoredData:
    """Keep images that were made here as a data set in class folders, for this user.

    Args:
        images: one after the other; they are written as PNG, never held together.
        progress: told about the writing; a cancelled data set leaves nothing behind.
        text: metadata of every file, to mark images as synthetic or virtual.
        notes: what a person should know about them, shown with the data set.
        total: how many there will be, where it is known.
    Raises:
        InvalidDataError: there are no images, or a class cannot be the name of a folder.
        TooLargeError: there are more than a data set may have.
        StorageError: the disk refused it; nothing is left behind.
        PermissionDeniedError: the user trains nothing.
    """
    files = ((label, file, fast_png(image, text)) for label, file, image in images)
    return add_pictures(user, name, files, progress, notes=notes, total=total)


def add_pictures(
    user: User,
    name: str,
    pictures: Iterable[tuple[str, str, bytes]],
    progress: Progress = no_progress,
    *,
    notes: tuple[str, ...] = (),
    total: int | None = None,
) -> StoredData:
    """Do as `add_images` with PNG files: class, name of the file, bytes."""
    require(user, *RESEARCHERS)
    now = utc_now()
    dataset_id = new_id(now)
    unfinished = dataset_folder() / f"{_UNFINISHED}{dataset_id}"
    with _in_words("save"):
        (unfinished / "images").mkdir(mode=0o700, parents=True)
        try:
            files, size = _write_pictures(unfinished / "images", pictures, progress, total)
            data = open_data(unfinished / "images")
            if data.kind is not Kind.CLASSES or len(data.items) != files:
                raise InvalidDataError(
                    f"Only {len(data.items)} of {files} images can be read as classes. Name the classes as the "
                    "workbench does (PR-, PR+, or 0, 1+, 2+, 3+), not after subsets or stains."
                )
            stored = StoredData(dataset_id, user.id, user.name, clean_name(name), now, size, files, notes)
            (unfinished / "dataset.json").write_bytes(_ADAPTER.dump_json(stored))
            unfinished.rename(dataset_folder() / dataset_id)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return stored


def _write_pictures(
    folder: Path, pictures: Iterable[tuple[str, str, bytes]], progress: Progress, total: int | None
) -> tuple[int, int]:
    """Write `folder/CLASS/NAME.png`; return how many, and how many bytes."""
    files = size = 0
    for label, name, png in pictures:
        if files % _REPORT_EVERY == 0:
            progress("saving images", files, max(total or 0, files))
            if shutil.disk_usage(folder).free < _FREE_BYTES:
                raise OSError(28, "No space left on device")
        if files >= MAX_FILES:
            raise TooLargeError(f"A data set may have {MAX_FILES:,} images; these are more. Split them.")
        place = folder / _class_folder(label)
        place.mkdir(exist_ok=True)
        _free_place(place, PurePath(safe_name(name)).stem).write_bytes(png)
        files, size = files + 1, size + len(png)
    if not files:
        raise InvalidDataError("There are no images to make a data set of. Keep or accept some first.")
    progress("saving images", files, files)
    return files, size


def _class_folder(label: str) -> str:
    if safe_name(label) != label or label.startswith("."):
        raise InvalidDataError(f"The class {label!r} cannot be the name of a folder. Use letters, digits, + and -.")
    return label


def _free_place(folder: Path, stem: str) -> Path:
    """The PNG of this name; with a number where that is taken."""
    path, number = folder / f"{stem}.png", 2
    while path.exists():
        path, number = folder / f"{stem}_{number}.png", number + 1
    return path


def list_datasets(user: User) -> list[StoredData]:
    """Return a user's uploads, newest first; all for an administrator.

    Raises:
        PermissionDeniedError: the user trains nothing.
    """
    require(user, *RESEARCHERS)
    folder = dataset_folder()
    names = (
        sorted((path.name for path in folder.iterdir() if is_id(path.name)), reverse=True) if folder.exists() else []
    )
    found = []
    for name in names:
        try:
            found.append(get_dataset(user, name))
        except NotFoundError:
            continue
        except StorageError as error:
            logger.warning("%s", error)
    return sorted(found, key=lambda stored: (stored.created, stored.id), reverse=True)


def get_dataset(user: User, dataset_id: str) -> StoredData:
    """Return one upload.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
        StorageError: its description is damaged.
    """
    require(user, *RESEARCHERS)
    missing = NotFoundError("There is no such data set, or it is somebody else's.")
    path = dataset_folder() / dataset_id / "dataset.json"
    if not is_id(dataset_id) or not path.is_file():
        raise missing
    try:
        stored = _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StorageError(f"The description of the data set {dataset_id} is damaged. Upload it again.") from error
    if user.role is not Role.ADMIN and stored.owner_id != user.id:
        raise missing
    return stored


def delete_dataset(user: User, dataset_id: str) -> None:
    """Remove an upload for good.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
        ConflictError: a run that has not ended needs it.
        StorageError: the disk refused it.
    """
    stored = get_dataset(user, dataset_id)
    top = dataset_folder() / stored.id
    for job in iter_jobs():
        if Path(job.data).is_relative_to(top) and not job.folder.status().state.ended:
            raise ConflictError(
                f'The run "{job.name}" still needs these images. Stop it first, or wait until it is done.'
            )
    gone = dataset_folder() / f"{_GONE}{stored.id}"
    with _in_words():
        top.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def places_of(data: DataSet) -> Iterator[Path]:
    """Yield every folder that the images of a data set lie in, and every image that is a link to elsewhere."""
    paths = [path for item in data.items for path in (item.path, item.partner) if path is not None]
    yield from {path.parent: path.parent.resolve() for path in paths}.values()
    yield from (path.resolve() for path in paths if path.is_symlink())


@contextmanager
def _in_words(again: str = "upload") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The images could not be stored ({error.strerror or error}). Free some disk space, then {again} them "
            "again. Nothing of them was kept."
        ) from error
