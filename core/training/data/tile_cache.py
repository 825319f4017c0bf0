"""All tiles of a data set, decoded and cut once, in one file that is read like an array."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import InvalidDataError
from core.inference.classification import prepare_tiles
from core.quantify.membrane_features import ASSUMED_MPP
from core.slides.tiling import ONE_TILE_UP_TO, Box
from core.stains.separation import DAB, White, optical_density, white_point
from core.stains.white import balance_white
from core.training.data.cache_folder import cache_key, check_room, find_or_build
from core.training.data.cutting import tissue_boxes
from core.training.data.items import DataSet, Item, Subset, rows_of, subset_numbers
from core.training.data.reading import Reader, check_readable, read_image
from core.types import Progress, RGBImage, no_progress


ONE_TILE_INPUTS = 4
"""An image of unknown scale that is not larger than so many inputs was cut already."""

UNSTAINED_OD = 0.08
"""98th percentile of the brown density below which a tile shows no stain."""

BROWN_PX = 64
WHITE_TILES = 36
"""Tiles of one case by which its glass is estimated."""


@dataclass(frozen=True)
class TileCache:
    """The tiles of a data set. One row per tile, in the order of the data set's images.

    Attributes:
        tiles: (N, px, px, 3) uint8 RGB, read from the disk when used.
        labels: (N,) index into `classes`.
        items: (N,) index of the image in the data set.
        subsets: (N,) 0 train, 1 validation, 2 test; images without subset train.
        unstained: (N,) bool, the tile has no brown: in a positive class its label is the case's, and it shows nothing
            of it.
        cases: of every tile.
        notes: what was left out, in words.
    """

    folder: Path
    tiles: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    subsets: npt.NDArray[np.int64]
    unstained: npt.NDArray[np.bool_]
    classes: tuple[str, ...]
    cases: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def of(self, subset: Subset) -> npt.NDArray[np.int64]:
        """Rows of one subset."""
        return rows_of(self.subsets, subset)


@dataclass(frozen=True)
class _Cut:
    """The tiles of one image.

    Attributes:
        tiles: (n, px, px, 3) uint8 RGB.
        white: (3,) of the glass; None where the image is one tile and the glass is that of its case.
    """

    tiles: RGBImage
    white: White | None


def build_cache(
    data: DataSet,
    folder: Path,
    *,
    input_px: int,
    tile_um: float,
    mpp: float | None = None,
    white_level: float | None = None,
    progress: Progress = no_progress,
) -> TileCache:
    """Decode and cut all images of a data set, or find them decoded already.

    An image that was cut already (of unknown scale and not larger than four inputs, or of one tile's size) becomes one
    tile; a larger one is cut at the card's scale, and tiles without tissue are dropped.

    Args:
        folder: where caches are kept; this one gets a folder of its own below it.
        input_px: side of a tile in pixels.
        tile_um: side of a tile in micrometres.
        mpp: micrometres per pixel of images that do not say so.
        white_level: background that the tiles are brought to; None leaves them as photographed.
    Raises:
        InvalidDataError: too many images are unreadable, nothing is left of a class, or the folder is gone.
        StorageError: the disk is full.
    """
    key = cache_key(data, ["tiles", input_px, tile_um, mpp, white_level])

    def cut(item: Item) -> _Cut:
        return _cut(item, input_px=input_px, tile_um=tile_um, mpp=mpp, white_level=white_level)

    def build(place: Path) -> None:
        check_room(place, len(data.items) * input_px * input_px * 3)
        _write(place, data, cut, progress)
        _finish_whole(place, data, white_level, progress)

    return _open(find_or_build(folder, key, build), data)


def brown_p98(tile: RGBImage, white: White) -> float:
    """Return the 98th percentile of the brown optical density (excess of blue over red absorption, in units of DAB)."""
    density = optical_density(cv2.resize(tile, (BROWN_PX, BROWN_PX), interpolation=cv2.INTER_AREA), white)
    brown = (density[..., 2] - density[..., 0]).ravel()
    rank = int(0.98 * (brown.size - 1))
    return float(np.partition(brown, rank)[rank]) / (DAB[2] - DAB[0])


def _cut(item: Item, *, input_px: int, tile_um: float, mpp: float | None, white_level: float | None) -> _Cut:
    decoded = read_image(item.path)
    image, scale = decoded.image, decoded.mpp or mpp
    height, width = image.shape[:2]
    one_tile = ONE_TILE_INPUTS * input_px if scale is None else ONE_TILE_UP_TO * tile_um / scale
    if max(height, width) <= one_tile:
        return _Cut(prepare_tiles(image, [Box(0, 0, width, height)], input_px), None)
    white = white_point(image)
    boxes, _ = tissue_boxes(image, white, mpp=scale or ASSUMED_MPP, tile_um=tile_um)
    tiles = prepare_tiles(image, boxes, input_px)
    if white_level is None:
        return _Cut(tiles, white)
    return _Cut(balance_white(tiles, white, level=white_level) if len(tiles) else tiles, np.full(3, white_level))


def _write(place: Path, data: DataSet, cut: Callable[[Item], _Cut], progress: Progress) -> None:
    """Write the tiles of every readable image one after the other, and what is known of them."""
    reader = Reader(data.root, cut, step="reading images", progress=progress)
    items: list[int] = []
    whole: list[bool] = []
    unstained: list[bool] = []
    blank: list[str] = []
    px = 0
    with (place / "tiles.bin").open("wb") as file:
        for index, done in reader.results(data.items):
            px = done.tiles.shape[1]
            file.write(np.ascontiguousarray(done.tiles).data)
            items += [index] * len(done.tiles)
            whole += [done.white is None] * len(done.tiles)
            unstained += [done.white is not None and brown_p98(tile, done.white) < UNSTAINED_OD for tile in done.tiles]
            blank += [] if len(done.tiles) else [data.items[index].path.name]
    notes = list(check_readable(reader.unreadable, len(data.items)))
    if blank:
        notes.append(f"{len(blank)} images show no tissue and were left out: {', '.join(blank[:5])}.")
    if not items:
        raise InvalidDataError(f"No tile with tissue was found in the {len(data.items)} images of {data.root}.")
    np.savez(place / "index.npz", items=np.array(items, np.int64), whole=np.array(whole), unstained=np.array(unstained))
    (place / "meta.json").write_text(json.dumps({"px": px, "notes": notes}), encoding="utf-8")


def _finish_whole(place: Path, data: DataSet, white_level: float | None, progress: Progress) -> None:
    """Measure and balance tiles that came one per file, by the glass of their whole case: one tile shows too little."""
    px, index = _read_index(place)
    whole, unstained = index["whole"], index["unstained"]
    tiles = np.memmap(place / "tiles.bin", np.uint8, "r+", shape=(len(whole), px, px, 3))
    rows_of: dict[str, list[int]] = {}
    for row in np.flatnonzero(whole).tolist():
        rows_of.setdefault(data.items[int(index["items"][row])].case, []).append(row)
    for done, rows in enumerate(rows_of.values()):
        if done % 32 == 0:
            progress("measuring stain", done, len(rows_of))
        white = _white_of(tiles, rows)
        for row in rows:
            unstained[row] = brown_p98(np.asarray(tiles[row]), white) < UNSTAINED_OD
            if white_level is not None:
                tiles[row] = balance_white(np.asarray(tiles[row]), white, level=white_level)
    tiles.flush()
    np.savez(place / "index.npz", items=index["items"], whole=whole, unstained=unstained)


def _white_of(tiles: RGBImage, rows: list[int]) -> White:
    """Estimate the glass of one case: the median over its tiles, of which some show none."""
    some = rows[:: max(1, len(rows) // WHITE_TILES)][:WHITE_TILES]
    return np.asarray(np.median([white_point(np.asarray(tiles[row])) for row in some], axis=0), np.float64)


def _read_index(place: Path) -> tuple[int, dict[str, npt.NDArray[np.generic]]]:
    with np.load(place / "index.npz", allow_pickle=False) as stored:
        index = {name: stored[name] for name in stored.files}
    return int(json.loads((place / "meta.json").read_text(encoding="utf-8"))["px"]), index


def _open(place: Path, data: DataSet) -> TileCache:
    px, index = _read_index(place)
    items = np.asarray(index["items"], np.int64)
    labels = np.array([data.classes.index(item.label) for item in data.items], np.int64)
    subsets = subset_numbers(data)
    cache = TileCache(
        folder=place,
        tiles=np.memmap(place / "tiles.bin", np.uint8, "r", shape=(len(items), px, px, 3)),
        labels=labels[items],
        items=items,
        subsets=subsets[items],
        unstained=np.asarray(index["unstained"], np.bool_),
        classes=data.classes,
        cases=tuple(data.items[int(row)].case for row in items),
        notes=tuple(json.loads((place / "meta.json").read_text(encoding="utf-8"))["notes"]),
    )
    there = set(cache.labels[cache.of(Subset.TRAIN)].tolist())
    absent = [label for index, label in enumerate(data.classes) if index not in there]
    if absent:
        raise InvalidDataError(
            f"No tile of the class {absent[0]} is left to train on: its images are unreadable, without tissue, or "
            "all in validation and test. Add images of this class."
        )
    return cache
