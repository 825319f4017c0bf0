"""Tiles written as a data set that a person may also open: one folder per class, the case in the file name."""

from collections.abc import Iterable
from pathlib import Path

from core.errors import StorageError
from core.images import encode_png
from core.types import RGBImage

LabelledTile = tuple[str, str, RGBImage]
"""Class, case, and the tile (H, W, 3) uint8 RGB."""

CASE_END = "__"
"""Ends the case in a file name: `CASE__0012.png`."""


def write_tiles(tiles: Iterable[LabelledTile], folder: Path) -> dict[str, int]:
    """Write every tile as `folder/CLASS/CASE__NUMBER.png`; return how many each class has.

    Raises:
        StorageError: the folder holds files already, or the disk refuses.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise StorageError(f"{folder} is not empty. Name a new folder, so that tiles of two sets are not mixed.")
    counts: dict[str, int] = {}
    try:
        for label, case, tile in tiles:
            number = counts.get(label, 0)
            place = folder / label
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{case}{CASE_END}{number:05d}.png").write_bytes(encode_png(tile))
            counts[label] = number + 1
    except OSError as error:
        raise StorageError(f"The tiles cannot be written to {folder} ({error.strerror}). Free some space.") from error
    return counts
