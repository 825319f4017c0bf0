"""What the nuclei network learns from: annotated and simulated fields at 0.5 um/px, and random crops of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import NotFoundError
from core.models.nuclei_unet import NUCLEI_MPP
from core.phantoms.nuclear import NuclearTruth
from core.phantoms.phantom import Her2Truth, Phantom, her2_phantom, nuclear_phantom, random_tissue
from core.phantoms.tissue import build_tissue
from core.stains.separation import white_point
from core.stains.white import WHITE_LEVEL, balance_white
from core.training.bundled.augment import degrade
from core.training.bundled.nuclear_tiles import case_of
from core.types import Mask, RGBImage

Points = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float32]

MPP_OF_SOURCE = {"bcdata": 0.25, "shidc": 0.25 * 2 / 3, "masks": 0.25}
"""Micrometres per pixel of the files."""

UNKNOWN = 255
"""Value of `inside` where nobody says whether a pixel belongs to a nucleus."""

HEAT_SIGMA_PX = 2.5
_CENTRE_RADIUS_PX = 3
"""Around an annotated point everything belongs to its nucleus."""

_EMPTY_DENSITY = 0.06
"""Mean optical density below which a pixel belongs to no nucleus."""

_CHROMATIN_OF_NUCLEUS = 0.3
_SMALLEST_PX = 30
"""Pixels of a mask's component, at 0.25 um/px, below which it is a speck."""

_SHARES = {"bcdata": 0.31, "shidc": 0.34, "masks": 0.1, "nuclear phantom": 0.15, "her2 phantom": 0.1}
"""How often a crop comes from each source."""


@dataclass(frozen=True)
class NucleiField:
    """One field at 0.5 um/px.

    Attributes:
        source: "bcdata", "shidc", "masks", "nuclear phantom" or "her2 phantom".
        case: patient, the unit of every split.
        image: (H, W, 3) uint8 RGB, white-balanced.
        centres: (N, 2) float32, x and y.
        stained: (N,) bool.
        inside: (H, W) uint8, 1 inside a nucleus, 0 outside, `UNKNOWN` elsewhere.
    """

    name: str
    source: str
    case: str
    image: RGBImage
    centres: Points
    stained: npt.NDArray[np.bool_]
    inside: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Crops:
    """A batch: images (N, S, S, 3) uint8; heat (N, 2, S, S), inside (N, S, S) with `UNKNOWN`, judged (N, S, S) bool."""

    images: npt.NDArray[np.uint8]
    heat: Floats
    inside: npt.NDArray[np.uint8]
    judged: npt.NDArray[np.bool_]


def read_nuclei_fields(data: Path) -> list[NucleiField]:
    """Read all fields of `ki67_points` and `ki67_masks`.

    Raises:
        NotFoundError: the folder holds none.
    """
    fields = [*_read_points(data / "ki67_points"), *_read_masks(data / "ki67_masks")]
    if not fields:
        raise NotFoundError(
            f"No annotated fields below {data}; ki67_points/bcdata, ki67_points/shidc and ki67_masks were expected."
        )
    return fields


def simulate_nuclei_fields(count: int, *, first_seed: int = 9000) -> list[NucleiField]:
    """Simulate fields of a nuclear marker and, every third one, of HER2, whose tumour nuclei are all unstained."""
    return [_simulated(seed) for seed in range(first_seed, first_seed + count)]


def folds_by_case(fields: Sequence[NucleiField], folds: int) -> dict[str, int]:
    """Return the fold of every case; the nuclei of each source are spread as evenly as whole cases allow."""
    fold_of: dict[str, int] = {}
    for source in sorted({field.source for field in fields}):
        nuclei: dict[str, int] = {}
        for field in fields:
            if field.source == source:
                nuclei[field.case] = nuclei.get(field.case, 0) + len(field.centres)
        load = np.zeros(folds)
        for case in sorted(nuclei, key=lambda name: (-nuclei[name], name)):
            fold_of[case] = int(np.argmin(load))
            load[fold_of[case]] += nuclei[case] + 1
    return fold_of


class CropSampler:
    """Random crops of any turn and of scales around the true one, each varied like another laboratory."""

    def __init__(self, fields: Sequence[NucleiField], *, side: int = 192, patched: float = 0.0) -> None:
        """Sort the fields.

        Args:
            side: of a crop in pixels.
            patched: share of crops that get a rectangle of another one, so that fields are not learned by heart.
        """
        self._side, self._patched = side, patched
        self._groups = {source: _by_case(fields, source) for source in _SHARES}
        self._groups = {source: group for source, group in self._groups.items() if group}
        shares = np.array([_SHARES[source] for source in self._groups])
        self._sources, self._shares = list(self._groups), shares / shares.sum()

    def draw(self, rng: np.random.Generator, count: int) -> Crops:
        """Draw a batch."""
        parts = [self._crop(rng, self._field(rng)) for _ in range(count)]
        images, heat, inside, judged = (np.stack(part) for part in zip(*parts, strict=True))
        for row in np.flatnonzero(rng.random(count) < self._patched):
            rows, columns = (_stretch(rng, self._side) for _ in range(2))
            window = np.s_[rows, columns]
            images[row][window], inside[row][window] = images[row - 1][window], inside[row - 1][window]
            judged[row][window], heat[row][:, rows, columns] = judged[row - 1][window], heat[row - 1][:, rows, columns]
        return Crops(images, heat, inside, judged)

    def _field(self, rng: np.random.Generator) -> NucleiField:
        cases = self._groups[self._sources[int(rng.choice(len(self._sources), p=self._shares))]]
        weight = np.sqrt([len(case) for case in cases])  # patients with many fields count more, but not in proportion
        case = cases[int(rng.choice(len(cases), p=weight / weight.sum()))]
        return case[int(rng.integers(len(case)))]

    def _crop(
        self, rng: np.random.Generator, field: NucleiField
    ) -> tuple[RGBImage, Floats, npt.NDArray[np.uint8], Mask]:
        side, (height, width) = self._side, field.image.shape[:2]
        matrix = _placement(rng, side, width, height)
        size = (side, side)
        image = cv2.warpAffine(field.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        inside = cv2.warpAffine(
            field.inside, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=UNKNOWN
        )
        judged = cv2.warpAffine(
            np.ones((height, width), np.uint8), matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT
        )
        centres = field.centres @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
        heat = np.stack([heat_of(centres[field.stained == stained], side) for stained in (True, False)])
        return vary(rng, np.asarray(image, np.uint8)), heat, np.asarray(inside, np.uint8), judged.astype(bool)


def _stretch(rng: np.random.Generator, side: int) -> slice:
    length = int(rng.integers(side // 3, 2 * side // 3))
    start = int(rng.integers(-side // 6, side - side // 2))
    return slice(max(0, start), start + length)


def heat_of(centres: Points, side: int) -> Floats:
    """Return (side, side): a Gaussian bump of height 1 at every centre."""
    reach = int(4 * HEAT_SIGMA_PX)
    heat = np.zeros((side + 2 * reach, side + 2 * reach), np.float32)
    offset = np.arange(-reach, reach + 1)
    for x, y in centres:
        column, row = round(float(x)), round(float(y))
        if not (-reach <= column < side + reach and -reach <= row < side + reach):
            continue
        bump = np.exp(-(offset[:, None] ** 2 + offset[None] ** 2) / (2 * HEAT_SIGMA_PX**2)).astype(np.float32)
        top, left = row, column
        if top < 0 or left < 0 or top + len(offset) > heat.shape[0] or left + len(offset) > heat.shape[1]:
            continue
        window = heat[top : top + len(offset), left : left + len(offset)]
        np.maximum(window, bump, out=window)
    return heat[reach:-reach, reach:-reach]


def vary(rng: np.random.Generator, image: RGBImage) -> RGBImage:
    """Change the amounts and colours of the dyes, the guessed background, sharpness and noise."""
    levels = np.maximum(np.arange(256, dtype=np.float32), 1)[:, None]
    # The background is never estimated exactly.
    guessed = WHITE_LEVEL * np.exp(rng.normal(0, 0.02, 3))
    density = cv2.LUT(np.ascontiguousarray(image), -np.log10(levels / guessed.astype(np.float32))[None])
    density = cv2.transform(density, _dye_change(rng).astype(np.float32))
    light = np.power(np.float32(10.0), -density) * np.float32(WHITE_LEVEL)
    return degrade(rng, np.asarray(np.clip(light + 0.5, 0, 255), np.uint8))


_DYES = np.array([(0.65, 0.70, 0.29), (0.27, 0.57, 0.78), (0.71, -0.69, 0.14)])


def _dye_change(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a (3, 3) matrix for densities: both dyes stronger or weaker on their own, and a little cross-talk."""
    amounts = np.exp(rng.normal(0, (0.22, 0.15, 0.2)))
    vectors = _DYES / np.linalg.norm(_DYES, axis=1, keepdims=True)
    return np.asarray(vectors.T @ np.diag(amounts) @ np.linalg.inv(vectors.T) + rng.normal(0, 0.03, (3, 3)))


def _placement(rng: np.random.Generator, side: int, width: int, height: int) -> npt.NDArray[np.float64]:
    """Return the (2, 3) affine map from the field to a crop: any angle, mirrored or not, scaled by 0.75 to 1.33."""
    scale, angle = float(np.exp(np.clip(rng.normal(0, 0.13), -0.29, 0.29))), float(rng.uniform(0, 2 * np.pi))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    mirror = 1.0 if rng.random() < 0.5 else -1.0
    turn = np.array([[cos * mirror, -sin], [sin * mirror, cos]])
    margin = min(0.35 * side / scale, 0.5 * width, 0.5 * height)
    middle = np.array([rng.uniform(margin, width - margin), rng.uniform(margin, height - margin)])
    return np.concatenate([turn, (np.full(2, side / 2) - turn @ middle)[:, None]], axis=1)


def _by_case(fields: Sequence[NucleiField], source: str) -> list[list[NucleiField]]:
    cases: dict[str, list[NucleiField]] = {}
    for field in fields:
        if field.source == source:
            cases.setdefault(field.case, []).append(field)
    return list(cases.values())


def _read_points(folder: Path) -> Iterator[NucleiField]:
    for source in ("bcdata", "shidc"):
        for path in sorted((folder / source).glob("*.json")):
            rows = json.loads(path.read_text(encoding="utf-8"))
            points = np.array([(row["x"], row["y"], row["label_id"]) for row in rows], np.float32).reshape(-1, 3)
            points = points[np.isin(points[:, 2], (1, 2))]
            picture = path.with_suffix(".png" if source == "bcdata" else ".jpg")
            image, scale = _working(_read(picture), MPP_OF_SOURCE[source])
            centres = (points[:, :2] + 0.5) * scale - 0.5
            inside = _inside_of_points(image, centres)
            yield NucleiField(path.stem, source, case_of(path), image, centres, points[:, 2] == 1, inside)


def _read_masks(folder: Path) -> Iterator[NucleiField]:
    for path in sorted(folder.glob("*/seg.png")):
        positive, negative = read_mask_classes(path)
        image, scale = _working(_read(path.with_name("ihc.png")), MPP_OF_SOURCE["masks"])
        centres, stained = [], []
        for mask, is_stained in ((positive, True), (negative, False)):
            count, _, boxes, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
            large = boxes[1:count, cv2.CC_STAT_AREA] >= _SMALLEST_PX
            centres.append((middles[1:count][large] + 0.5) * scale - 0.5)
            stained.append(np.full(int(large.sum()), is_stained))
        grown = cv2.dilate((positive | negative).astype(np.uint8), np.ones((3, 3), np.uint8))  # half of the boundary
        inside = cv2.resize(grown, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        points, is_positive = np.concatenate(centres).astype(np.float32), np.concatenate(stained)
        case = path.parent.name
        yield NucleiField(case, "masks", f"masks-{case}", image, points, is_positive, np.asarray(inside, np.uint8))


def read_mask_classes(path: Path) -> tuple[Mask, Mask]:
    """Return positive and negative pixels of a segmentation, (H, W) bool each; boundaries belong to neither."""
    picture = _read(path)
    red, green, blue = (picture[..., channel] > 127 for channel in range(3))
    return red & ~green & ~blue, blue & ~green & ~red


def _simulated(seed: int) -> NucleiField:
    """Simulate at 40x or at the working scale; the simulation knows which pixels are chromatin."""
    rng = np.random.default_rng([seed, 21])
    mpp = float(rng.choice([0.25, NUCLEI_MPP]))
    size = round(352 * NUCLEI_MPP / mpp)
    section = build_tissue(seed, size_px=size, mpp=mpp, config=random_tissue(seed))
    centres = np.stack([section.epithelium.x_px, section.epithelium.y_px], axis=1)[section.is_tumour]
    phantom: Phantom[Her2Truth] | Phantom[NuclearTruth]
    if seed % 3 == 2:
        source = "her2 phantom"
        phantom = her2_phantom(seed, size_px=size, mpp=mpp, varied=True)
        stained = np.zeros(len(centres), bool)
    else:
        source = "nuclear phantom"
        percent = float(rng.choice([0.0, rng.uniform(0, 30), rng.uniform(0, 100), 100.0], p=[0.15, 0.35, 0.42, 0.08]))
        nuclear = nuclear_phantom(seed, percent_positive=percent, size_px=size, mpp=mpp, varied=True)
        phantom, stained = nuclear, nuclear.truth.positive
        centres = nuclear.truth.centres
    white = np.array(phantom.white, np.float64)
    image, scale = _working(phantom.image, mpp, white)
    chromatin = ((section.nuclei + section.stroma_nuclei) > _CHROMATIN_OF_NUCLEUS).astype(np.uint8)
    chromatin = cv2.morphologyEx(chromatin, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    inside = np.asarray(cv2.resize(chromatin, image.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
    points = ((centres + 0.5) * scale - 0.5).astype(np.float32)
    return NucleiField(f"phantom-{seed}", source, f"phantom-{seed}", image, points, stained, inside)


def _inside_of_points(image: RGBImage, centres: Points) -> npt.NDArray[np.uint8]:
    inside = np.full(image.shape[:2], UNKNOWN, np.uint8)
    levels = np.maximum(cv2.GaussianBlur(image, (0, 0), 1.0).astype(np.float32), 1.0)
    inside[-np.log10(levels / WHITE_LEVEL).mean(axis=2) < _EMPTY_DENSITY] = 0
    for x, y in centres:
        cv2.circle(inside, (round(float(x)), round(float(y))), _CENTRE_RADIUS_PX, 1, -1)
    return inside


def _working(image: RGBImage, mpp: float, white: npt.NDArray[np.float64] | None = None) -> tuple[RGBImage, float]:
    """Balance and shrink to the working scale; return the image and its pixels per pixel of the file."""
    balanced = balance_white(image, white_point(image) if white is None else white)
    scale = mpp / NUCLEI_MPP
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    if size == image.shape[1::-1]:
        return balanced, 1.0
    return np.asarray(cv2.resize(balanced, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _read(path: Path) -> RGBImage:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)
