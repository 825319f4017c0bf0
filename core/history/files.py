"""The files of one entry: DATA_DIR/history/<entry id>/ with analysis.json, pictures.npz, thumbnail.jpg, original.bin.

Where nuclei were measured, also nuclei.npz; where a person adjusted them, adjustments.json.

The name of the uploaded file is no part of any path. Files become visible all at once: they are written to a folder
of another name, which is renamed when they are on the disk.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from core.config import get_settings
from core.errors import StorageError
from core.history.pictures import decode_pictures, encode_pictures
from core.images import thumbnail
from core.quantify.nuclei_file import decode_nuclei, encode_nuclei
from core.types import Analysis, Nuclei, Result

logger = logging.getLogger(__name__)

THUMBNAIL_PX = 320

NUCLEI_FILE = "nuclei.npz"

_UNFINISHED = ".new-"
_UNFINISHED_AFTER_S = 3600.0


def history_folder() -> Path:
    """Return the folder that holds all entries."""
    return get_settings().data_dir / "history"


def write_entry(result: Result, original: bytes | None) -> Path:
    """Write the files of an entry to a new folder that nobody sees yet; return the folder.

    Raises:
        StorageError: the disk refused; nothing is left behind.
    """
    content = {
        "analysis.json": encode_analysis(result.analysis),
        "pictures.npz": encode_pictures(result.pictures),
        "thumbnail.jpg": thumbnail(result.pictures.image, THUMBNAIL_PX),
    }
    if result.nuclei is not None:
        content[NUCLEI_FILE] = encode_nuclei(result.nuclei)
    if original is not None:
        content["original.bin"] = original
    folder = history_folder() / f"{_UNFINISHED}{uuid4().hex}"
    with in_words():
        try:
            folder.mkdir(mode=0o700, parents=True)
            for name, data in content.items():
                _write_durably(folder / name, data)
        except OSError:
            discard(folder)
            raise
    return folder


def publish(folder: Path, entry_id: str) -> None:
    """Give the files of an entry their place.

    Raises:
        StorageError: the disk refused.
    """
    with in_words():
        folder.rename(history_folder() / entry_id)


def discard(folder: Path) -> None:
    """Remove a folder that is of no use any more; what cannot be removed now is removed by a later cleaning."""
    shutil.rmtree(folder, ignore_errors=True)


def read_entry(entry_id: str) -> Result:
    """Return the stored result of an entry.

    Raises:
        StorageError: its files are missing or damaged.
    """
    analysis = decode_analysis(read_file(entry_id, "analysis.json"))
    return Result(analysis, decode_pictures(read_file(entry_id, "pictures.npz")), read_nuclei(entry_id))


def read_nuclei(entry_id: str) -> Nuclei | None:
    """Return the stored nuclei of an entry; None where none were measured.

    Raises:
        StorageError: the file is damaged.
    """
    data = read_if_there(entry_id, NUCLEI_FILE)
    if data is None:
        return None
    try:
        return decode_nuclei(data)
    except ValueError as error:
        raise StorageError(
            f"The stored nuclei of this entry cannot be read ({error}). "
            "Restore them from a backup, or run the analysis again."
        ) from error


def read_if_there(entry_id: str, name: str) -> bytes | None:
    """Return one file of an entry that not every entry has; None where it is not there.

    Raises:
        StorageError: it cannot be read.
    """
    return read_file(entry_id, name) if (history_folder() / entry_id / name).exists() else None


def replace_file(entry_id: str, name: str, data: bytes | None) -> None:
    """Put one file of an entry in place of the former one, all at once; None removes it.

    Raises:
        StorageError: the disk refused; the former file is untouched.
    """
    folder = history_folder() / entry_id
    unfinished = folder / f"{_UNFINISHED}{uuid4().hex}"
    with in_words():
        if data is None:
            (folder / name).unlink(missing_ok=True)
            return
        try:
            _write_durably(unfinished, data)
            unfinished.replace(folder / name)
        finally:
            unfinished.unlink(missing_ok=True)


def read_file(entry_id: str, name: str) -> bytes:
    """Return one file of an entry.

    Raises:
        StorageError: it is missing or cannot be read.
    """
    try:
        return (history_folder() / entry_id / name).read_bytes()
    except OSError as error:
        raise StorageError(
            f"The stored file {name} of this entry cannot be read ({error.strerror}). "
            "Restore the data folder from a backup, or run the analysis again."
        ) from error


def remove_files(entry_id: str) -> bool:
    """Remove all files of an entry; False if some could not be removed."""
    folder = history_folder() / entry_id
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        logger.warning("files of a deleted entry could not be removed: %s", error.strerror)
        return False
    return True


def remove_original(entry_id: str) -> bool:
    """Remove the uploaded file of an entry; False if it could not be removed."""
    try:
        (history_folder() / entry_id / "original.bin").unlink(missing_ok=True)
    except OSError as error:
        logger.warning("an original could not be removed: %s", error.strerror)
        return False
    return True


def remove_unfinished() -> None:
    """Remove what an interrupted save left behind an hour ago or earlier."""
    for folder in history_folder().glob(f"{_UNFINISHED}*"):
        try:
            old = time.time() - folder.stat().st_mtime > _UNFINISHED_AFTER_S
        except FileNotFoundError:
            continue  # another process was quicker
        if old:
            discard(folder)


def storage_bytes() -> int:
    """Return how much all entries take on the disk."""
    total = 0
    for folder, _, names in os.walk(history_folder()):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue  # deleted meanwhile
    return total


def encode_analysis(analysis: Analysis) -> bytes:
    """Return an analysis as JSON; figures that are no number (NaN) are kept as such."""
    return json.dumps(_adapter().dump_python(analysis, mode="json"), ensure_ascii=False).encode()


def decode_analysis(data: bytes) -> Analysis:
    """Return an analysis from its JSON.

    Raises:
        StorageError: it is damaged.
    """
    try:
        return _adapter().validate_json(data)
    except ValidationError as error:
        raise StorageError(
            "The stored analysis of this entry is damaged. Restore it from a backup, or run the analysis again."
        ) from error


@contextmanager
def in_words() -> Iterator[None]:
    """Turn a refusal of the disk into a sentence."""
    try:
        yield
    except OSError as error:
        logger.error("history: %s", error.strerror)
        raise StorageError(
            f"The result could not be saved ({error.strerror}). What was saved before is untouched. "
            "Check the free space and the permissions of the data folder, then save again."
        ) from error


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # the row in the database must not outlive its files in a power failure


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Analysis]:
    return TypeAdapter(Analysis)
