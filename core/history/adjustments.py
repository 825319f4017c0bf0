"""What a person changed about the measurement of an entry, as `adjustments.json` beside it."""

import json
from dataclasses import replace
from functools import lru_cache

from pydantic import TypeAdapter, ValidationError

from core.errors import InvalidOptionError, StorageError
from core.history import files
from core.quantify.adjusted import Adjusted
from core.quantify.regions import checked_region
from core.types import Adjustments

FILE = "adjustments.json"
VERSION = 1

MAX_REGIONS = 100


def checked_adjustments(adjustments: Adjustments, size: tuple[int, int]) -> Adjustments:
    """Return adjustments whose regions are cut at the edges of the image.

    Args:
        size: (width, height) of the upload.
    Raises:
        InvalidOptionError: too many regions, or one that is no area of the image.
    """
    if len(adjustments.regions) > MAX_REGIONS:
        raise InvalidOptionError(f"There are {len(adjustments.regions)} regions; at most {MAX_REGIONS} are possible.")
    regions = tuple(checked_region(region.points, size, region.exclude) for region in adjustments.regions)
    return replace(adjustments, regions=regions)


def read_adjusted(entry_id: str) -> Adjusted | None:
    """Return the stored adjustments of an entry with their figures; None where there are none.

    Raises:
        StorageError: the file is damaged, or of a later version.
    """
    data = files.read_if_there(entry_id, FILE)
    return None if data is None else decode_adjusted(data)


def write_adjusted(entry_id: str, adjusted: Adjusted | None) -> None:
    """Store the adjustments of an entry in place of the former ones; None removes them.

    Raises:
        StorageError: the disk refused; the former ones are untouched.
    """
    files.replace_file(entry_id, FILE, None if adjusted is None else encode_adjusted(adjusted))


def encode_adjusted(adjusted: Adjusted) -> bytes:
    """Return adjustments and their figures as JSON."""
    content = {"version": VERSION, "adjusted": _adapter().dump_python(adjusted, mode="json")}
    return json.dumps(content, ensure_ascii=False).encode()


def decode_adjusted(data: bytes) -> Adjusted:
    """Return adjustments and their figures from their JSON.

    Raises:
        StorageError: it is damaged, or of a later version.
    """
    try:
        content = json.loads(data)
        if content["version"] > VERSION:
            raise ValueError("stored by a later version")
        return _adapter().validate_python(content["adjusted"])
    except (ValueError, LookupError, TypeError, ValidationError) as error:
        raise StorageError(
            "The stored adjustments of this entry are damaged. Restore them from a backup, or adjust the figures again."
        ) from error


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Adjusted]:
    return TypeAdapter(Adjusted)
