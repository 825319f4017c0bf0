"""What a collection is on the disk: DATA_DIR/collections/<id>/ with collection.json and images/*.png."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.auth import require
from core.config import get_settings
from core.db import User
from core.errors import NotFoundError, StorageError
from core.images import decode
from core.jobs.records import is_id
from core.jobs.runs import RESEARCHERS
from core.training.data.naming import order_classes
from core.types import RGBImage

logger = logging.getLogger(__name__)

DESCRIPTION, IMAGES = "collection.json", "images"
MAX_FILE_BYTES, MAX_PIXELS = 100_000_000, 20_000_000
MISSING = "There is no such collection, or it is somebody else's."


@dataclass(frozen=True)
class KeptImage:
    """How a synthetic image came about; the same values and weights give the same image again.

    Attributes:
        label: class that was asked for.
        seed: whole number from 0 to 2**32 - 1.
        truncation: the noise was multiplied by it, above 0 and at most 1.
        model: name of the generator.
        weights_sha256: of the generator's weights.
        scores: what was measured about it, by name.
    """

    label: str
    seed: int
    truncation: float
    model: str
    weights_sha256: str
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, int, float, str]:
        """What tells two images apart; scores may be measured later."""
        return self.label, self.seed, self.truncation, self.weights_sha256


@dataclass(frozen=True)
class StoredImage:
    """One image of a collection; `file` is its name there and in exports."""

    file: str
    kept: KeptImage


@dataclass(frozen=True)
class Collection:
    """One collection.json.

    Attributes:
        owner: name of the owner when the collection was made.
        created, changed: UTC.
        bytes: what the images take on the disk.
        images: in the order in which they were added.
    """

    id: str
    owner_id: int
    owner: str
    name: str
    created: datetime
    changed: datetime
    bytes: int = 0
    images: tuple[StoredImage, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return collections_folder() / self.id

    @property
    def counts(self) -> dict[str, int]:
        """How many images each class has, in the order of the classes."""
        found = Counter(image.kept.label for image in self.images)
        return {label: found[label] for label in order_classes(found)}


@dataclass(frozen=True)
class Added:
    """What an addition did.

    Attributes:
        added: images that are new in the collection.
        repeated: images that it had already.
    """

    collection: Collection
    added: int
    repeated: int


ADAPTER = TypeAdapter(Collection)


def collections_folder() -> Path:
    """Return the folder of all collections."""
    return get_settings().data_dir.resolve() / "collections"


def list_collections(user: User) -> list[Collection]:
    """Return a user's own collections, the one changed last first.

    Raises:
        PermissionDeniedError: the user makes no synthetic images.
    """
    require(user, *RESEARCHERS)
    folder = collections_folder()
    found = []
    for path in folder.iterdir() if folder.exists() else ():
        try:
            found.append(get(user, path.name))
        except NotFoundError:
            continue
        except StorageError as error:
            logger.warning("%s", error)
    return sorted(found, key=lambda each: (each.changed, each.id), reverse=True)


def get(user: User, collection_id: str) -> Collection:
    """Return one of a user's own collections.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
        StorageError: its description is damaged.
    """
    require(user, *RESEARCHERS)
    path = collections_folder() / collection_id / DESCRIPTION
    if not is_id(collection_id) or not path.is_file():
        raise NotFoundError(MISSING)
    try:
        status = path.stat()
        collection = _read(path, status.st_mtime_ns, status.st_ino)
    except (OSError, ValidationError) as error:
        raise StorageError(
            f"The description of the collection {collection_id} is damaged. Restore the data folder from a backup, or "
            "sample the images again."
        ) from error
    if collection.owner_id != user.id:
        raise NotFoundError(MISSING)
    return collection


def picture(user: User, collection_id: str, file: str) -> bytes:
    """Return one image of a collection as PNG, marked as synthetic.

    Raises:
        NotFoundError: the collection is none of the user's, or has no such image.
        StorageError: the file is gone or cannot be read.
    """
    collection = get(user, collection_id)
    if all(image.file != file for image in collection.images):
        raise NotFoundError("The collection has no such image. It may have been removed meanwhile.")
    return read_picture(collection, file)


def read_image(user: User, collection_id: str, file: str) -> RGBImage:
    """Return one image of a collection, (H, W, 3) uint8 RGB; raises as `picture`, and where the file is damaged."""
    return decode_picture(picture(user, collection_id, file), file)


def decode_picture(png: bytes, file: str) -> RGBImage:
    """Return the pixels of a kept image, (H, W, 3) uint8 RGB."""
    return decode(png, file, max_bytes=MAX_FILE_BYTES, max_pixels=MAX_PIXELS).image


def read_picture(collection: Collection, file: str) -> bytes:
    """Return the PNG of an image that the collection names.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return (collection.folder / IMAGES / file).read_bytes()
    except OSError as error:
        raise StorageError(
            f"The kept image {file} cannot be read ({error.strerror}). Remove it and sample it again."
        ) from error


@contextmanager
def in_words(what: str) -> Iterator[None]:
    """Turn a refusal of the disk into a sentence that starts with `what`."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{what} ({error.strerror or error}). What was kept before is untouched. Free some disk space, then "
            "try again."
        ) from error


@lru_cache(maxsize=64)
def _read(path: Path, _changed_ns: int, _inode: int) -> Collection:
    """A description as it was when it was changed last: those of thousands of images take a while to read."""
    return ADAPTER.validate_json(path.read_bytes())
