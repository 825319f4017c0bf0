"""The images of reader tests on the disk: DATA_DIR/reading/<test>/<image>.jpg, all written in one way."""

import logging
import secrets
import shutil
from pathlib import Path

from core.config import get_settings
from core.errors import StorageError
from core.images import encode_jpeg, resize_to, resize_to_fit
from core.types import RGBImage

logger = logging.getLogger(__name__)

TILE_PX = 384
"""Side at which tiles are shown."""

WHOLE_PX = 1024
QUALITY = 92
_UNFINISHED = ".new-"


def blind_tile(image: RGBImage) -> bytes:
    """Return a square tile as every tile of a test is written: one size, one JPEG quality, no metadata."""
    return encode_jpeg(resize_to(image, (TILE_PX, TILE_PX)), QUALITY)


def blind_whole(image: RGBImage) -> bytes:
    """Return a whole image without name and metadata, at most `WHOLE_PX` long."""
    return encode_jpeg(resize_to_fit(image, WHOLE_PX), QUALITY)


def new_item_id() -> str:
    """Return an identifier that says nothing about its image."""
    return secrets.token_hex(12)


def folder_of(test_id: str) -> Path:
    """Where the images of a test lie."""
    return get_settings().data_dir.resolve() / "reading" / test_id


def write(test_id: str, pictures: dict[str, bytes]) -> Path:
    """Write images to a folder that nobody sees yet; return it.

    Raises:
        StorageError: the disk refused; nothing is left behind.
    """
    folder = folder_of(f"{_UNFINISHED}{test_id}")
    try:
        folder.mkdir(mode=0o700, parents=True)
        for item_id, picture in pictures.items():
            (folder / f"{item_id}.jpg").write_bytes(picture)
    except OSError as error:
        discard(folder)
        raise _refused(error) from error
    return folder


def publish(folder: Path, test_id: str) -> None:
    """Give the images of a test their place.

    Raises:
        StorageError: the disk refused.
    """
    try:
        folder.rename(folder_of(test_id))
    except OSError as error:
        raise _refused(error) from error


def read(test_id: str, item_id: str) -> bytes:
    """Return one image.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return (folder_of(test_id) / f"{item_id}.jpg").read_bytes()
    except OSError as error:
        raise StorageError(
            f"An image of this test cannot be read ({error.strerror}). Restore the data folder from a backup, or make "
            "the test again."
        ) from error


def discard(folder: Path) -> None:
    """Remove a folder that is of no use any more."""
    shutil.rmtree(folder, ignore_errors=True)


def _refused(error: OSError) -> StorageError:
    return StorageError(
        f"The images of the test could not be stored ({error.strerror}). Nothing of it was kept. Free some disk space, "
        "then make it again."
    )
