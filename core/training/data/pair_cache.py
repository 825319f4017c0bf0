"""All registered pairs of a data set, decoded once and brought to the generator's scale, in fields of one size."""

import json
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import InvalidDataError, InvalidImageError
from core.images import resize_to
from core.inference.scoring import MIN_TISSUE
from core.quality.measures import tissue_fractions, tissue_mask
from core.quantify.membrane_features import ASSUMED_MPP
from core.slides.tiling import Box
from core.stains.separation import white_point
from core.training.data.cache_folder import cache_key, check_room, find_or_build
from core.training.data.items import DataSet, Item, Subset, rows_of, subset_numbers
from core.training.data.reading import Reader, check_readable, read_image
from core.types import Progress, RGBImage, no_progress

SAME_SHAPE = 0.02
"""Registered sections may differ in their aspect by so much, by rounding of their export."""


@dataclass(frozen=True)
class PairCache:
    """Fields of registered pairs. One row per field, in the order of the data set's pairs.

    Attributes:
        he, ihc: (N, px, px, 3) uint8 RGB as photographed, read from the disk when used.
        white_he, white_ihc: (N, 3) float32 RGB of the glass in the image that the field was cut from.
        items: (N,) index of the pair in the data set.
        subsets: (N,) 0 train, 1 validation, 2 test; pairs without subset train.
        cases: of every field.
        notes: what was left out, in words.
    """

    folder: Path
    he: npt.NDArray[np.uint8]
    ihc: npt.NDArray[np.uint8]
    white_he: npt.NDArray[np.float32]
    white_ihc: npt.NDArray[np.float32]
    items: npt.NDArray[np.int64]
    subsets: npt.NDArray[np.int64]
    cases: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def of(self, subset: Subset) -> npt.NDArray[np.int64]:
        """Rows of one subset."""
        return rows_of(self.subsets, subset)


@dataclass(frozen=True)
class _Fields:
    """The fields of one pair: (n, px, px, 3) each, and (2, 3) the glass of both images."""

    he: RGBImage
    ihc: RGBImage
    whites: npt.NDArray[np.float64]


def build_pair_cache(
    data: DataSet,
    folder: Path,
    *,
    field_px: int,
    mpp_target: float,
    mpp: float | None = None,
    progress: Progress = no_progress,
) -> PairCache:
    """Decode all pairs of a data set, or find them decoded already.

    Both images are brought to the target's scale and cut into squares that cover them, overlapping a little rather than
    leaving a rest; a smaller image is mirrored at its edges. Squares without tissue are dropped.

    Args:
        folder: where caches are kept; this one gets a folder of its own below it.
        field_px: side of a field in pixels.
        mpp_target: micrometres per pixel of the fields.
        mpp: micrometres per pixel of images that do not say so; 0.25 (40x) by default.
    Raises:
        InvalidDataError: too many pairs are unusable, none is left, or the folder is gone.
        StorageError: the disk is full.
    """
    key = cache_key(data, ["pairs", field_px, mpp_target, mpp])

    def build(place: Path) -> None:
        check_room(place, len(data.items) * field_px * field_px * 6)
        reader = Reader(
            data.root, lambda item: _cut(item, field_px, mpp_target, mpp), step="reading pairs", progress=progress
        )
        with (place / "he.bin").open("wb") as he, (place / "ihc.bin").open("wb") as ihc:
            items, whites = _write(reader, data, he, ihc)
        notes = check_readable(reader.unreadable, len(data.items))
        if not items:
            raise InvalidDataError(f"No field with tissue was found in the {len(data.items)} pairs of {data.root}.")
        np.savez(place / "index.npz", items=np.array(items, np.int64), whites=np.array(whites, np.float32))
        (place / "meta.json").write_text(json.dumps({"px": field_px, "notes": notes}), encoding="utf-8")

    return _open(find_or_build(folder, key, build), data, field_px)


def _write(
    reader: Reader[_Fields], data: DataSet, he: BinaryIO, ihc: BinaryIO
) -> tuple[list[int], list[npt.NDArray[np.float64]]]:
    items: list[int] = []
    whites: list[npt.NDArray[np.float64]] = []
    for index, fields in reader.results(data.items):
        he.write(np.ascontiguousarray(fields.he).data)
        ihc.write(np.ascontiguousarray(fields.ihc).data)
        items += [index] * len(fields.he)
        whites += [fields.whites] * len(fields.he)
    return items, whites


def _cut(item: Item, field_px: int, mpp_target: float, mpp: float | None) -> _Fields:
    if item.partner is None:
        raise InvalidImageError(f"{item.path.name} has no IHC beside it.")
    he, ihc = read_image(item.path), read_image(item.partner)
    height, width = he.image.shape[:2]
    aspect = (ihc.image.shape[1] / ihc.image.shape[0]) / (width / height)
    if abs(aspect - 1) > SAME_SHAPE:
        raise InvalidImageError(
            f"{item.path.name} has {width} x {height} px, its IHC {ihc.image.shape[1]} x {ihc.image.shape[0]} px; "
            "registered pairs show the same field."
        )
    factor = (he.mpp or mpp or ASSUMED_MPP) / mpp_target
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    whites = np.stack([white_point(he.image), white_point(ihc.image)])
    small = [_at_least(resize_to(each.image, size), field_px) for each in (he, ihc)]
    boxes = _squares(small[0], field_px)
    if len(boxes) > 1:
        share = tissue_fractions(tissue_mask(small[0], whites[0]), boxes)
        boxes = [box for box, fraction in zip(boxes, share, strict=True) if fraction >= MIN_TISSUE]
    fields = [_windows(image, boxes, field_px) for image in small]
    return _Fields(fields[0], fields[1], whites)


def _at_least(image: RGBImage, px: int) -> RGBImage:
    """Mirror an image at its right and lower edge until no side is shorter than this."""
    bottom, right = (max(0, px - length) for length in image.shape[:2])
    if not bottom and not right:
        return image
    return np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REFLECT_101), np.uint8)


def _squares(image: RGBImage, px: int) -> list[Box]:
    """Cover an image with squares of exactly this side, spread evenly."""
    tops, lefts = (np.linspace(0, length - px, ceil(length / px)).round() for length in image.shape[:2])
    return [Box(int(x), int(y), px, px) for y in tops for x in lefts]


def _windows(image: RGBImage, boxes: list[Box], px: int) -> RGBImage:
    found = [image[box.y : box.y + px, box.x : box.x + px] for box in boxes]
    return np.stack(found) if found else np.zeros((0, px, px, 3), np.uint8)


def _open(place: Path, data: DataSet, px: int) -> PairCache:
    with np.load(place / "index.npz", allow_pickle=False) as stored:
        items, whites = np.asarray(stored["items"], np.int64), np.asarray(stored["whites"], np.float32)
    shape = (len(items), px, px, 3)
    subsets = subset_numbers(data)
    return PairCache(
        folder=place,
        he=np.memmap(place / "he.bin", np.uint8, "r", shape=shape),
        ihc=np.memmap(place / "ihc.bin", np.uint8, "r", shape=shape),
        white_he=whites[:, 0],
        white_ihc=whites[:, 1],
        items=items,
        subsets=subsets[items],
        cases=tuple(data.items[int(row)].case for row in items),
        notes=tuple(json.loads((place / "meta.json").read_text(encoding="utf-8"))["notes"]),
    )
