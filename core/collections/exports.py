"""A collection that leaves: as a ZIP with its manifest, or as a data set to train on."""

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from core.collections.changes import add_images, create
from core.collections.stored import Collection, collections_folder, decode_picture, get, in_words, read_picture
from core.db import User
from core.errors import InvalidDataError
from core.jobs.datasets import StoredData, add_pictures
from core.spreadsheet import to_csv
from core.types import Progress, no_progress

README = (
    "Synthetic images sampled from a generator: no patient's tissue, not for diagnosis. Research use only.\n"
    "manifest.csv and manifest.json name for every file its class, seed and truncation, the generator, its weights,\n"
    "and what was measured. The same seed, class, truncation and weights give the same image again.\n"
)
SET_NOTE = "Synthetic images: they may train a network, but say nothing about real tissue."

_COLUMNS = ("file", "class", "seed", "truncation", "model", "weights_sha256")
_REPORT_EVERY = 50


@dataclass(frozen=True)
class Packed:
    """A collection packed for a download; its file is removed with this object.

    Attributes:
        changed: when the collection was changed last before this.
        count: images in it.
    """

    folder: "tempfile.TemporaryDirectory[str]"
    path: Path
    changed: datetime
    bytes: int
    count: int


def pack(user: User, collection_id: str, *, progress: Progress = no_progress) -> Packed:
    """Pack a collection into a file that lives as long as what is returned; raises as `export_zip`."""
    collection = _filled(user, collection_id)
    with in_words("The ZIP could not be written"):
        folder = tempfile.TemporaryDirectory(prefix=".export-", dir=collections_folder(), ignore_cleanup_errors=True)
    path = Path(folder.name) / f"synthetic_{collection.id}.zip"
    size = export_zip(user, collection_id, path, progress=progress)
    return Packed(folder, path, collection.changed, size, len(collection.images))


def export_zip(user: User, collection_id: str, target: Path, *, progress: Progress = no_progress) -> int:
    """Pack a collection: images/*.png, manifest.csv, manifest.json, README.txt. Images are never held together.

    Args:
        target: becomes visible when it is whole; an older file of this name is replaced.
        progress: told about the packing; a cancelled export leaves nothing behind.
    Returns:
        The bytes of the file.
    Raises:
        NotFoundError: there is no such collection, or it is somebody else's.
        InvalidDataError: it is empty.
        StorageError: an image cannot be read, or the disk refused the file; nothing is left behind.
    """
    collection = _filled(user, collection_id)
    unfinished = target.with_name(f".{target.name}.{uuid4().hex}")
    with in_words("The ZIP could not be written"):
        try:
            with zipfile.ZipFile(unfinished, "x", zipfile.ZIP_DEFLATED) as archive:
                for file, png in _pictures(collection, "packing", progress):
                    archive.writestr(f"images/{file}", png, zipfile.ZIP_STORED)  # PNG is compressed already
                archive.writestr("manifest.csv", manifest_csv(collection))
                archive.writestr("manifest.json", manifest_json(collection))
                archive.writestr("README.txt", README)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        return target.stat().st_size


def export_dataset(
    user: User,
    collection_id: str,
    name: str,
    *,
    files: Iterable[str] | None = None,
    progress: Progress = no_progress,
) -> StoredData:
    """Copy a collection, or some of its images, into a data set in class folders, which the page Training lists.

    It can be trained on, or be given to a classifier as its synthetic images (`ClassifierConfig.synthetic`).

    Raises:
        NotFoundError: there is no such collection, or it is somebody else's.
        InvalidDataError: it is empty.
        StorageError: an image cannot be read, or the disk refused the copy; nothing is left behind.
    """
    collection = _part(_filled(user, collection_id), files)
    labels = {image.file: image.kept.label for image in collection.images}
    pictures = ((labels[file], file, png) for file, png in _pictures(collection, "copying", progress))
    return add_pictures(user, name or collection.name, pictures, notes=(SET_NOTE,), total=len(labels))


def copy_images(
    user: User, collection_id: str, files: Iterable[str], name: str, *, progress: Progress = no_progress
) -> Collection:
    """Copy some images of a collection into a new one, with how they were made.

    Raises:
        NotFoundError: there is no such collection, or it is somebody else's.
        ConflictError: the user has a collection of this name.
        StorageError: the disk refused it.
        CancelledError: it was cancelled; what is whole is kept in the new collection.
    """
    part = _part(_filled(user, collection_id), files)
    made = create(user, name)
    items = (
        (each.kept, decode_picture(png, each.file))
        for each, (_, png) in zip(part.images, _pictures(part, "copying", progress), strict=True)
    )
    return add_images(user, made.id, items, total=len(part.images)).collection


def manifest_csv(collection: Collection) -> str:
    """One row an image: file, class, seed, truncation, model, weights, and a column for every score."""
    names = sorted({name for image in collection.images for name in image.kept.scores})
    rows = [
        [image.file, kept.label, kept.seed, kept.truncation, kept.model, kept.weights_sha256]
        + [kept.scores.get(name) for name in names]
        for image in collection.images
        for kept in [image.kept]
    ]
    return to_csv([*_COLUMNS, *names], rows)


def manifest_json(collection: Collection) -> str:
    """The same as data, with the name of the collection."""
    images = [
        dict(
            zip(
                _COLUMNS,
                (image.file, kept.label, kept.seed, kept.truncation, kept.model, kept.weights_sha256),
                strict=True,
            )
        )
        | {"scores": dict(kept.scores)}
        for image in collection.images
        for kept in [image.kept]
    ]
    about = {"synthetic": True, "collection": collection.name, "owner": collection.owner}
    return json.dumps(
        about | {"changed": collection.changed.isoformat(), "images": images}, ensure_ascii=False, indent=1
    )


def _part(collection: Collection, files: Iterable[str] | None) -> Collection:
    chosen = None if files is None else set(files)
    images = tuple(each for each in collection.images if chosen is None or each.file in chosen)
    return replace(collection, images=images)


def _filled(user: User, collection_id: str) -> Collection:
    collection = get(user, collection_id)
    if not collection.images:
        raise InvalidDataError(f'The collection "{collection.name}" is empty. Keep images in it first.')
    return collection


def _pictures(collection: Collection, step: str, progress: Progress) -> Iterator[tuple[str, bytes]]:
    for number, image in enumerate(collection.images):
        if number % _REPORT_EVERY == 0:
            progress(step, number, len(collection.images))
        yield image.file, read_picture(collection, image.file)
    progress(step, len(collection.images), len(collection.images))
