"""Synthetic images as a ZIP: PNGs that say what they are, and a manifest as table and as data."""

import json
import re
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO
from uuid import uuid4

from core.collections.exports import README
from core.collections.stored import KeptImage, in_words
from core.config import get_settings
from core.errors import InvalidDataError, NotFoundError
from core.spreadsheet import to_csv
from core.synthetic_images import name_of, to_png
from core.types import Progress, RGBImage, no_progress

COLUMNS = ("file", "class", "seed", "truncation", "model", "weights_sha256")
REPORT_EVERY = 16
FREE_BYTES = 50_000_000
"""What a long export leaves free on the disk."""


def write_zip(
    items: Iterable[tuple[KeptImage, RGBImage]],
    target: IO[bytes] | Path,
    *,
    total: int = 0,
    progress: Progress = no_progress,
) -> int:
    """Pack images, one after the other; return how many.

    Args:
        items: how each came about, and the image; never held together.
        target: an open file, or a path whose disk is watched.
        total: how many there will be, where it is known.
    Raises:
        InvalidDataError: there are none.
        CancelledError: from `progress`.
        OSError: the disk refused it.
    """
    rows: list[tuple[str, KeptImage]] = []
    taken: dict[str, int] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for kept, image in items:
            if len(rows) % REPORT_EVERY == 0:
                progress("sampling and packing", len(rows), max(total, len(rows)))
                if isinstance(target, Path) and shutil.disk_usage(target.parent).free < FREE_BYTES:
                    raise OSError(28, "No space left on device")
            file = _free(name_of(kept), taken)
            archive.writestr(f"images/{file}", to_png(kept, image), zipfile.ZIP_STORED)  # PNG is compressed already
            rows.append((file, kept))
        if not rows:
            raise InvalidDataError("There are no images to export. Generate or choose some first.")
        archive.writestr("manifest.csv", manifest_csv(rows))
        archive.writestr("manifest.json", manifest_json(rows))
        archive.writestr("README.txt", README)
    progress("sampling and packing", len(rows), len(rows))
    return len(rows)


def zip_on_disk(
    user_id: int,
    name: str,
    items: Iterable[tuple[KeptImage, RGBImage]],
    *,
    total: int = 0,
    progress: Progress = no_progress,
) -> Path:
    """Write images as a ZIP into the data folder's `exports`; whole, or not at all.

    Returns:
        The file.
    Raises:
        StorageError: the disk refused it; nothing is left behind.
        InvalidDataError, CancelledError: as `write_zip`; likewise.
    """
    folder = get_settings().data_dir.resolve() / "exports" / str(user_id)
    stem = re.sub(r"[^A-Za-z0-9+.-]+", "-", name).strip("-.") or "images"
    unfinished = folder / f".new-{uuid4().hex}"
    with in_words("The ZIP could not be written"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_zip(items, unfinished, total=total, progress=progress)
            target = _unused(folder, f"synthetic-{stem[:80]}")
            unfinished.rename(target)
        finally:
            unfinished.unlink(missing_ok=True)
    return target


def export_of(user_id: int, file: str) -> Path:
    """Return an export of this user by its file name.

    Raises:
        NotFoundError: there is none.
    """
    path = get_settings().data_dir.resolve() / "exports" / str(user_id) / Path(file).name
    if path.suffix != ".zip" or not path.is_file():
        raise NotFoundError(f"There is no export {Path(file).name} any more. Make it again.")
    return path


def manifest_csv(rows: Iterable[tuple[str, KeptImage]]) -> str:
    """One row an image: file, class, seed, truncation, model, weights, and a column for every score."""
    known = list(rows)
    names = sorted({name for _, kept in known for name in kept.scores})
    return to_csv([*COLUMNS, *names], [[*_values(file, kept), *map(kept.scores.get, names)] for file, kept in known])


def manifest_json(rows: Iterable[tuple[str, KeptImage]]) -> str:
    """The same as data."""
    images = [
        dict(zip(COLUMNS, _values(file, kept), strict=True)) | {"scores": dict(kept.scores)} for file, kept in rows
    ]
    return json.dumps({"synthetic": True, "images": images}, ensure_ascii=False, indent=1)


def _values(file: str, kept: KeptImage) -> tuple[object, ...]:
    return file, kept.label, kept.seed, kept.truncation, kept.model, kept.weights_sha256


def _free(name: str, taken: dict[str, int]) -> str:
    """The name; with a number where another image has it (another truncation, other weights)."""
    taken[name] = number = taken.get(name, 0) + 1
    return name if number == 1 else f"{name.removesuffix('.png')}_{number}.png"


def _unused(folder: Path, stem: str) -> Path:
    path, number = folder / f"{stem}.zip", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.zip", number + 1
    return path
