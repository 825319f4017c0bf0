"""Images that are in a data set twice: the same file, or the same picture saved again."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from core.images import resize_to_fit
from core.types import Progress, RGBImage, no_progress

NEAR_BITS = 4
"""Bits of 64 in which the perceptual hashes of one picture saved twice may differ.

Measured on the shared images: saved as JPEG, halved or darkened, 19 of 20 stay within that. Of 36 million pairs of
tiles 55 came as close: 54 show the same nuclei, in two fields that overlap, and one pair is chance.
"""

HASHED_PX = 128
FLAT_LEVELS = 3.0
"""Gray levels of deviation below which a picture is empty: its hash is that of its noise."""

BLOCK_ROWS = 256
MAX_PAIRS = 20_000
"""More pairs than this say that the data set repeats itself; they need not all be found."""


@dataclass(frozen=True)
class Fingerprint:
    """What tells one picture from another.

    Attributes:
        sha256: of the file.
        perceptual: 64 bits that survive saving, resizing and brightening; None for an empty picture.
    """

    sha256: str
    perceptual: int | None


@dataclass(frozen=True)
class Twins:
    """Two entries that show the same.

    Attributes:
        first, second: their indices, first < second.
        exact: the files are equal byte for byte.
    """

    first: int
    second: int
    exact: bool


def fingerprint(image: RGBImage, sha256: str) -> Fingerprint:
    """Describe one picture; source of the hash: `imagehash.phash` (discrete cosine transform of a small gray copy).

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    gray = cv2.cvtColor(resize_to_fit(image, HASHED_PX), cv2.COLOR_RGB2GRAY)
    if float(gray.std()) < FLAT_LEVELS:
        return Fingerprint(sha256, None)
    bits = imagehash.phash(Image.fromarray(gray)).hash.ravel()
    return Fingerprint(sha256, int.from_bytes(np.packbits(bits).tobytes(), "big"))


def find_twins(
    prints: Sequence[Fingerprint], sides: Sequence[str] | None = None, progress: Progress = no_progress
) -> list[Twins]:
    """Find all equal and nearly equal pictures, at most `MAX_PAIRS` of the latter.

    Of a group of equal files each is paired with the first, and one of each side is compared with other pictures.
    Twenty thousand images take a second or two.

    Args:
        sides: of the split, one per picture.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    distinct: dict[tuple[str, str], int] = {}
    for index, each in enumerate(prints):
        groups[each.sha256].append(index)
        if each.perceptual is not None:
            distinct.setdefault((each.sha256, sides[index] if sides else ""), index)
    twins = [Twins(group[0], other, True) for group in groups.values() for other in group[1:]]
    compared = list(distinct.values())
    hashes = np.array([prints[index].perceptual for index in compared], np.uint64)
    near = [Twins(compared[a], compared[b], False) for a, b in near_pairs(hashes, progress)]
    return twins + [each for each in near if prints[each.first].sha256 != prints[each.second].sha256]


def near_pairs(hashes: npt.NDArray[np.uint64], progress: Progress = no_progress) -> list[tuple[int, int]]:
    """Find pairs of hashes that differ in at most `NEAR_BITS` bits.

    Args:
        hashes: (N,) uint64.
    """
    found: list[tuple[int, int]] = []
    for start in range(0, len(hashes), BLOCK_ROWS):
        progress("looking for duplicates", start, len(hashes))
        block = hashes[start : start + BLOCK_ROWS]
        close = np.bitwise_count(block[:, None] ^ hashes[None, start:]) <= NEAR_BITS
        for row, column in np.argwhere(np.triu(close, k=1)).tolist():
            found.append((start + row, start + column))
            if len(found) >= MAX_PAIRS:
                return found
    return found
