"""Changing collections: a change is whole or it is not there, and two at once do not lose each other's images."""

import math
import re
import shutil
from collections.abc import Collection as Several
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from core.auth import require
from core.collections.stored import (
    ADAPTER,
    DESCRIPTION,
    IMAGES,
    Added,
    Collection,
    KeptImage,
    StoredImage,
    collections_folder,
    get,
    in_words,
    list_collections,
)
from core.db import User
from core.db.clock import utc_now
from core.errors import CancelledError, ConflictError, InvalidOptionError, TooLargeError
from core.jobs.locks import hold
from core.jobs.names import clean_name
from core.jobs.records import new_id
from core.jobs.runs import RESEARCHERS
from core.png_text import fast_png
from core.types import Progress, RGBImage, no_progress

MAX_IMAGES = 100_000
SYNTHETIC_TEXT = {"Comment": "Synthetic image sampled from a generator: no patient's tissue. Research use only."}

_UNFINISHED, _GONE = ".new-", ".deleted-"
_LOCK, _LOCK_WAIT_S = ".lock", 20.0
_REPORT_EVERY = 16
_FREE_BYTES = 50_000_000
"""What a long addition leaves free on the disk."""

Staged = tuple[KeptImage, Path, int]
"""An image that is written, but not yet part of the collection: what it is, where it lies, its bytes."""


def create(user: User, name: str) -> Collection:
    """Make an empty collection.

    Raises:
        InvalidOptionError: the name is empty.
        ConflictError: the user has a collection of this name.
        StorageError: the disk refused it.
        PermissionDeniedError: the user makes no synthetic images.
    """
    require(user, *RESEARCHERS)
    title = _free_name(user, name)
    now = utc_now()
    collection = Collection(new_id(now), user.id, user.name, title, now, now)
    unfinished = collections_folder() / f"{_UNFINISHED}{collection.id}"
    with in_words("The collection could not be made"):
        try:
            (unfinished / IMAGES).mkdir(mode=0o700, parents=True)
            (unfinished / DESCRIPTION).write_bytes(ADAPTER.dump_json(collection))
            unfinished.rename(collection.folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return collection


def rename(user: User, collection_id: str, name: str) -> Collection:
    """Give a collection another name; raises as `create`, and NotFoundError."""
    with _changing(user, collection_id) as collection:
        title = _free_name(user, name, but=collection.id)
        return _write(replace(collection, name=title, changed=utc_now()))


def delete(user: User, collection_id: str) -> None:
    """Remove a collection and its images for good.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
        StorageError: the disk refused it.
    """
    collection = get(user, collection_id)
    gone = collections_folder() / f"{_GONE}{collection.id}"
    with in_words("The collection could not be removed"):
        collection.folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def add_images(
    user: User,
    collection_id: str,
    items: Iterable[tuple[KeptImage, RGBImage]],
    *,
    progress: Progress = no_progress,
    total: int | None = None,
) -> Added:
    """Keep images in a collection, one after the other; an image that it has already is kept once.

    Where this is cancelled (by `progress` or by `items`), the images that are whole are kept, and CancelledError goes
    on. Where anything else goes wrong, none of these images is kept.

    Args:
        items: how each came about, and the image, (H, W, 3) uint8 RGB; never held together.
        progress: told about the writing.
        total: how many there will be, where it is known.
    Raises:
        NotFoundError: there is no such collection, or it is somebody else's.
        TooLargeError: the collection would have more images than it may.
        StorageError: the disk refused it.
        CancelledError: it was cancelled; the message says how many were kept.
    """
    collection = get(user, collection_id)
    folder = collection.folder / f"{_UNFINISHED}{uuid4().hex}"
    staged: list[Staged] = []
    with in_words("The images could not be kept"):
        try:
            folder.mkdir()
            _stage(folder, items, staged, progress, total, room=MAX_IMAGES - len(collection.images))
            return _take_in(user, collection_id, staged)
        except CancelledError as error:
            kept = _take_in(user, collection_id, staged).added
            raise CancelledError(f"Cancelled: {kept:,} images that were whole are kept.") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_images(user: User, collection_id: str, files: Several[str]) -> Collection:
    """Take images out of a collection for good; names that it does not have are passed over.

    Raises:
        NotFoundError: there is no such collection, or it is somebody else's.
        StorageError: the disk refused it.
    """
    with _changing(user, collection_id) as collection:
        gone = {image.file for image in collection.images} & set(files)
        places = [collection.folder / IMAGES / file for file in gone]
        size = sum(path.stat().st_size for path in places if path.exists())
        left = tuple(image for image in collection.images if image.file not in gone)
        changed = _write(replace(collection, images=left, bytes=max(0, collection.bytes - size), changed=utc_now()))
        for path in places:
            path.unlink(missing_ok=True)
        return changed


def marks(kept: KeptImage) -> dict[str, str]:
    """The PNG metadata of a synthetic image: that it is one, and how it can be made again."""
    return SYNTHETIC_TEXT | {
        "Class": kept.label,
        "Seed": str(kept.seed),
        "Truncation": f"{kept.truncation:g}",
        "Model": kept.model,
        "Weights-SHA256": kept.weights_sha256,
    }


def file_name(kept: KeptImage) -> str:
    """ "synthetic_PR+_12.png": safe on every system."""
    return f"synthetic_{re.sub(r'[^A-Za-z0-9+.-]', '-', kept.label)}_{kept.seed}.png"


def _stage(
    folder: Path,
    items: Iterable[tuple[KeptImage, RGBImage]],
    staged: list[Staged],
    progress: Progress,
    total: int | None,
    *,
    room: int,
) -> None:
    for kept, image in items:
        number = len(staged)
        if number >= room:
            raise TooLargeError(f"A collection has at most {MAX_IMAGES:,} images. Start another one.")
        if number % _REPORT_EVERY == 0:
            progress("keeping images", number, max(total or 0, number))
            if shutil.disk_usage(folder).free < _FREE_BYTES:
                raise OSError(28, "No space left on device")
        path = folder / f"{number}.png"
        png = fast_png(image, marks(kept))
        path.write_bytes(png)
        staged.append((kept, path, len(png)))
    progress("keeping images", len(staged), len(staged))


def _take_in(user: User, collection_id: str, staged: Iterable[Staged]) -> Added:
    """Make written images part of the collection: names first, then the files, the description last."""
    with _changing(user, collection_id) as collection:
        known = {image.kept.identity for image in collection.images}
        taken = {image.file for image in collection.images}
        new: list[StoredImage] = []
        size = collection.bytes
        repeated = 0
        for kept, path, png_bytes in staged:
            if kept.identity in known:
                repeated += 1
                continue
            file = _free_file(file_name(kept), taken)
            path.replace(collection.folder / IMAGES / file)
            known.add(kept.identity)
            taken.add(file)
            size += png_bytes
            new.append(StoredImage(file, replace(kept, scores=_finite(kept))))
        if new:
            images = (*collection.images, *new)
            collection = _write(replace(collection, images=images, bytes=size, changed=utc_now()))
        return Added(collection, len(new), repeated)


def _finite(kept: KeptImage) -> dict[str, float]:
    return {name: float(value) for name, value in kept.scores.items() if math.isfinite(value)}


def _free_file(name: str, taken: set[str]) -> str:
    """The name; with a number where another image has it (another truncation, other weights)."""
    stem, number, file = name.removesuffix(".png"), 2, name
    while file in taken:
        file, number = f"{stem}_{number}.png", number + 1
    return file


def _free_name(user: User, name: str, *, but: str = "") -> str:
    title = clean_name(name, default="")
    if not title:
        raise InvalidOptionError("The collection needs a name. Enter one, for example: PR+ favourites.")
    if any(each.name.casefold() == title.casefold() and each.id != but for each in list_collections(user)):
        raise ConflictError(f'You have a collection "{title}" already. Add to it, or choose another name.')
    return title


@contextmanager
def _changing(user: User, collection_id: str) -> Iterator[Collection]:
    """The collection as it is now, while nobody else changes it."""
    folder = get(user, collection_id).folder
    with in_words("The collection could not be changed"), hold(folder / _LOCK, wait_s=_LOCK_WAIT_S):
        yield get(user, collection_id)


def _write(collection: Collection) -> Collection:
    unfinished = collection.folder / f"{_UNFINISHED}{uuid4().hex}"
    try:
        unfinished.write_bytes(ADAPTER.dump_json(collection))
        unfinished.replace(collection.folder / DESCRIPTION)
    finally:
        unfinished.unlink(missing_ok=True)
    return collection
