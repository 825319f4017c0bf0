"""Uploaded images to train on: DATA_DIR/datasets/<id>/ with dataset.json and images/."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from core.auth import require
from core.config import get_settings
from core.db import User
from core.db.clock import utc_now
from core.errors import ConflictError, InvalidDataError, NotFoundError, StorageError
from core.jobs.names import clean_name
from core.jobs.records import is_id, iter_jobs, new_id
from core.jobs.runs import RESEARCHERS
from core.labels import Role
from core.training.data import DataSet, open_data
from core.training.data.unpacking import unpack
from core.types import Progress, no_progress

logger = logging.getLogger(__name__)

_UNFINISHED, _GONE = ".new-", ".deleted-"


@dataclass(frozen=True)
class StoredData:
    """One uploaded data set.

    Attributes:
        created: UTC.
        bytes, files: what it takes on the disk.
        notes: what of the upload was left out, in words.
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
def _in_words() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The images could not be stored ({error.strerror or error}). Free some disk space, then upload them again."
        ) from error
