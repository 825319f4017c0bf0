"""Fields with annotated nuclei, and tiles cut from them: at least one stained nucleus, or none.

`python -m core.training.bundled.nuclear_tiles --data ../shared/data --out FOLDER` writes the tiles into class folders.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import NotFoundError
from core.labels import PrStatus
from core.phantoms.phantom import nuclear_phantom
from core.stains.separation import separate, white_point
from core.stains.white import balance_white
from core.training.bundled.augment import degrade, restain, turn
from core.training.data.class_folders import LabelledTile, write_tiles
from core.types import RGBImage

log = logging.getLogger(__name__)

TILE_PX = 128
OVERLAP_STRIDE_PX = 32
"""From one tile to the next where tiles overlap: about ten times as many, for what needs thousands."""

INSIDE_PX, OUTSIDE_PX = 8, 20
"""Stained nuclei centred this close to a tile's border are cut by it; a tile with no others carries no label."""

MAX_EMPTY_DAB = 0.12
"""A tile without annotated nuclei is unstained if no spot of it has more DAB (optical density)."""

_SCALE_OF_SET = {"bcdata": 1.0, "shidc": 2 / 3}
"""Pixels at 40x per pixel of the file."""

_SAME_PATIENT = {"p1_0317": "p1_0299"}
"""The fields p1_0299_1 and p1_0317_7 overlap by half: whatever their names say, it is one patient."""


class TileLabel(IntEnum):
    """What a tile shows; the first two are the classes of the network."""

    NEGATIVE = 0
    POSITIVE = 1
    UNLABELLED = 2
    EMPTY = 3


@dataclass(frozen=True)
class Field:
    """One annotated field.

    Attributes:
        source: "bcdata", "shidc" or "phantom".
        case: patient, the unit of every split.
        image: (H, W, 3) uint8 RGB, brought to the background that the network expects.
        scale: pixels at 40x per pixel of `image`.
        centres: (N, 2) float, x and y of the nuclei in pixels of `image`.
        stained: (N,) bool.
        dab: (H / 4, W / 4) float32 blurred DAB density.
    """

    source: str
    case: str
    image: RGBImage
    scale: float
    centres: npt.NDArray[np.float64]
    stained: npt.NDArray[np.bool_]
    dab: npt.NDArray[np.float32]

    def label(self, x: float, y: float, side: float) -> TileLabel:
        """Label the square with this corner and side, in pixels of the image."""
        if (self._inside(x, y, side, -INSIDE_PX / self.scale) & self.stained).any():
            return TileLabel.POSITIVE
        if (self._inside(x, y, side, OUTSIDE_PX / self.scale) & self.stained).any():
            return TileLabel.UNLABELLED
        if self._inside(x, y, side, 0.0).any():
            return TileLabel.NEGATIVE
        window = self.dab[int(y / 4) : int((y + side) / 4), int(x / 4) : int((x + side) / 4)]
        return TileLabel.EMPTY if float(window.max(initial=0.0)) < MAX_EMPTY_DAB else TileLabel.UNLABELLED

    def _inside(self, x: float, y: float, side: float, grow: float) -> npt.NDArray[np.bool_]:
        low = np.array([x, y]) - grow
        return np.asarray(((self.centres >= low) & (self.centres < low + side + 2 * grow)).all(axis=1))


def read_fields(data: Path) -> list[Field]:
    """Read the annotated Ki-67 fields of `ki67_points`.

    Raises:
        NotFoundError: the folder holds none.
    """
    fields = [
        _read_field(path, name)
        for name in _SCALE_OF_SET
        for path in sorted((data / "ki67_points" / name).glob("*.json"))
    ]
    if not fields:
        raise NotFoundError(
            f"No annotated fields below {data / 'ki67_points'}; the folders bcdata and shidc were expected."
        )
    return fields


def case_of(path: Path) -> str:
    """Return the patient of a field by its file name; BCData has one field each."""
    if path.parent.name == "bcdata":
        return f"bcdata-{path.stem}"
    case = path.stem.rsplit("_", 1)[0]
    return _SAME_PATIENT.get(case, case)


def simulate_fields(count: int, *, first_seed: int = 5000) -> list[Field]:
    """Simulate fields of a nuclear marker; every second one has no stained nucleus."""
    fields = []
    for seed in range(first_seed, first_seed + count):
        percent = 0.0 if seed % 2 else float(np.random.default_rng(seed).uniform(2, 80))
        phantom = nuclear_phantom(seed, percent_positive=percent, size_px=512, varied=True)
        truth = phantom.truth
        fields.append(
            _field("phantom", f"phantom-{seed}", phantom.image, 1.0, truth.centres.astype(np.float64), truth.positive)
        )
    return fields


def grid_corners(field: Field, *, stride_px: int = TILE_PX) -> list[tuple[float, float]]:
    """Return (x, y) of the labelled tiles of a regular grid, in pixels of the image.

    Args:
        stride_px: from one tile to the next, in pixels at 40x; the default leaves no overlap.
    """
    side, stride = TILE_PX / field.scale, stride_px / field.scale
    height, width = field.image.shape[:2]
    rows, columns = (int((length - side + stride) / stride) for length in (height, width))
    corners = [(column * stride, row * stride) for row in range(rows) for column in range(columns)]
    return [at for at in corners if field.label(*at, side) in (TileLabel.NEGATIVE, TileLabel.POSITIVE)]


def grid_tiles(field: Field, *, stride_px: int = TILE_PX) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Cut the labelled tiles of the grid: (N, 128, 128, 3) and (N,) classes."""
    side = TILE_PX / field.scale
    corners = grid_corners(field, stride_px=stride_px)
    tiles = np.array([_cut(field.image, x, y, side) for x, y in corners], np.uint8)
    labels = np.array([field.label(x, y, side) for x, y in corners], np.int64)
    return tiles.reshape(-1, TILE_PX, TILE_PX, 3), labels


def labelled_tiles(fields: Sequence[Field], *, stride_px: int = TILE_PX) -> Iterator[LabelledTile]:
    """Yield PR status, case and picture of every labelled tile of the grid."""
    names = {TileLabel.NEGATIVE: PrStatus.NEGATIVE.value, TileLabel.POSITIVE: PrStatus.POSITIVE.value}
    for field in fields:
        tiles, labels = grid_tiles(field, stride_px=stride_px)
        for tile, label in zip(tiles, labels, strict=True):
            yield names[TileLabel(int(label))], field.case, tile


class TileSampler:
    """Random tiles, drawn equally often from every source and class, each varied."""

    def __init__(self, fields: Sequence[Field], *, phantom_share: float = 0.1) -> None:
        self._groups = {name: [f for f in fields if f.source == name] for name in {f.source for f in fields}}
        self._names = sorted(self._groups)
        real = [name for name in self._names if name != "phantom"]
        simulated = (phantom_share if real else 1.0) if "phantom" in self._names else 0.0
        self._shares = [simulated if name == "phantom" else (1 - simulated) / len(real) for name in self._names]

    def draw(self, rng: np.random.Generator, count: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Draw `count` tiles: (count, 128, 128, 3) and (count,) classes."""
        labels = rng.integers(0, 2, count)
        tiles = [self._tile(rng, TileLabel(int(label))) for label in labels]
        return np.stack(tiles), labels.astype(np.int64)

    def _tile(self, rng: np.random.Generator, wanted: TileLabel) -> RGBImage:
        allowed = {wanted} | ({TileLabel.EMPTY} if wanted is TileLabel.NEGATIVE and rng.random() < 0.1 else set())
        group = self._groups[str(rng.choice(self._names, p=self._shares))]
        while True:
            field = group[int(rng.integers(len(group)))]
            side = TILE_PX / field.scale * float(np.exp(rng.uniform(np.log(0.75), np.log(1.35))))
            for _ in range(20):
                x, y = rng.uniform(0, np.array(field.image.shape[1::-1]) - side)
                if field.label(x, y, side) in allowed:
                    return _vary(rng, _cut(field.image, x, y, side))


def _vary(rng: np.random.Generator, tile: RGBImage) -> RGBImage:
    # The background is never estimated exactly: 2 % of error per channel.
    guessed = 240.0 * np.exp(rng.normal(0, 0.02, 3))
    white = (float(guessed[0]), float(guessed[1]), float(guessed[2]))
    tile = restain(rng, balance_white(tile, guessed), white, mix=0.03, strength=0.2, new_white=False)
    return degrade(rng, turn(rng, tile))


def _cut(image: RGBImage, x: float, y: float, side: float) -> RGBImage:
    left, top, extent = round(x), round(y), round(side)
    window = image[top : top + extent, left : left + extent]
    way = cv2.INTER_AREA if extent > TILE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(window, (TILE_PX, TILE_PX), interpolation=way), np.uint8)


def _read_field(path: Path, name: str) -> Field:
    picture = path.with_suffix(".png" if name == "bcdata" else ".jpg")
    pixels = cv2.imread(str(picture), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise NotFoundError(f"{picture} is missing or not an image, but {path.name} annotates it.")
    points = [point for point in json.loads(path.read_text(encoding="utf-8")) if point["label_id"] in (1, 2)]
    centres = np.array([(point["x"], point["y"]) for point in points], np.float64).reshape(-1, 2)
    stained = np.array([point["label_id"] == 1 for point in points], bool)
    return _field(name, case_of(path), np.asarray(pixels, np.uint8), _SCALE_OF_SET[name], centres, stained)


def _field(
    source: str,
    case: str,
    image: RGBImage,
    scale: float,
    centres: npt.NDArray[np.float64],
    stained: npt.NDArray[np.bool_],
) -> Field:
    white = white_point(image)
    dab = cv2.GaussianBlur(separate(image, white, downsample=4).dab, (0, 0), 1.0)
    balanced = balance_white(image, white)
    return Field(source, case, balanced, scale, centres, stained, np.asarray(dab, np.float32))


def main() -> None:
    """Write the tiles of the annotated fields into the folders PR- and PR+."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ki67_points")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the tiles")
    parser.add_argument("--overlap", action="store_true", help=f"a tile every {OVERLAP_STRIDE_PX} px, not every 128")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    stride = OVERLAP_STRIDE_PX if arguments.overlap else TILE_PX
    counts = write_tiles(labelled_tiles(read_fields(arguments.data), stride_px=stride), arguments.out)
    log.info("%s", ", ".join(f"{count} tiles of {label}" for label, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
