"""Folders of decoded images that are built whole or not at all, and found again by what went into them."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import StorageError
from core.training.data.items import DataSet
from core.training.data.reading import check_still_there

VERSION = 1
"""Counts changes of what a cache holds, so that none of an older kind is taken for a new one."""

UNUSED_DAYS = 30
"""A cache that no training has opened for so long makes way for others."""

PARTIAL = ".partial"
WHOLE = "whole.json"
"""Names and sizes of a cache's files; written last."""


def cache_key(data: DataSet, settings: Sequence[Any]) -> str:
    """Name what a cache holds: its files with their sizes and times, cases and the settings of the reading."""
    check_still_there(data.root)
    digest = hashlib.sha256(json.dumps([VERSION, *settings]).encode())
    for item in data.items:
        stamps = [_stamp(path) for path in (item.path, item.partner) if path is not None]
        digest.update(json.dumps([stamps, item.case]).encode())
    return digest.hexdigest()[:24]


def find_or_build(folder: Path, key: str, build: Callable[[Path], None]) -> Path:
    """Return the cache of this key below `folder`, building it if it is not there or not whole.

    Args:
        build: writes everything into the new folder it is given.
    Raises:
        StorageError: the disk refused.
    """
    place = folder / key
    partial: Path | None = None
    try:
        if _is_whole(place):
            os.utime(place)
            return place
        folder.mkdir(parents=True, exist_ok=True)
        _make_room(folder)
        # Several processes, perhaps on several machines, may build the same at once.
        partial = Path(tempfile.mkdtemp(prefix=f"{key}.", suffix=PARTIAL, dir=folder))
        build(partial)
        sizes = {path.name: path.stat().st_size for path in partial.iterdir()}
        (partial / WHOLE).write_text(json.dumps(sizes), encoding="utf-8")
        _put_in_place(partial, place)
    except OSError as error:
        raise StorageError(
            f"The decoded images cannot be kept in {folder} ({error.strerror}). Free some disk space, then start again."
        ) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    return place


def check_room(folder: Path, needed: int) -> None:
    """Refuse a cache that will not fit on the disk, before it is built.

    Raises:
        StorageError: fewer than `needed` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"The decoded images need {needed / 1e9:.1f} GB in {folder}; {free / 1e9:.1f} GB are free. Free some disk "
            "space, or train on fewer images."
        )


def _is_whole(place: Path) -> bool:
    """Whether a cache is there with all its files at their full sizes."""
    try:
        sizes = json.loads((place / WHOLE).read_text(encoding="utf-8"))
        return all((place / name).stat().st_size == size for name, size in sizes.items())
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def _put_in_place(partial: Path, place: Path) -> None:
    """Rename a finished folder; where another process was quicker, its folder stays."""
    if place.is_dir() and not _is_whole(place):
        shutil.rmtree(place)
    try:
        partial.rename(place)
    except OSError:
        if not _is_whole(place):
            raise


def _make_room(folder: Path) -> None:
    """Remove caches that nobody has opened for long, and what was left of builds that were killed."""
    now = time.time()
    for place in folder.iterdir():
        days = 1 if place.name.endswith(PARTIAL) else UNUSED_DAYS
        if place.is_dir() and place.stat().st_mtime < now - days * 86_400:
            shutil.rmtree(place, ignore_errors=True)


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), -1, -1
    return os.path.realpath(path), found.st_size, found.st_mtime_ns
