"""Registered fields in H&E and IHC, what a generator shall paint of them, and varied crops."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import InvalidImageError, TooLargeError
from core.quality.stain_agreement import TARGET_WHITE
from core.stains.separation import H_DAB, White, separate, separate_he
from core.training.data import DataSet, Item, Subset
from core.training.data.pair_cache import build_pair_cache
from core.training.data.reading import read_image
from core.types import Progress, RGBImage, no_progress

FIELD_PX = 256
"""Side of a field at the scale of the generator."""

STORED = 2
"""Fields are kept so many times larger, so that crops can be magnified without losing detail."""

CLEAR = 0.5
"""Density of DAB up to which a gain raises what is to be painted: a strong stain needs none."""


@dataclass(frozen=True)
class Pair:
    """One field in both stains, at one scale.

    Attributes:
        case: patient, the unit of the split.
        he: (H, W, 3) uint8 RGB as photographed.
        ihc: (H, W, 3) uint8 RGB on the common white background.
        target: (H, W, 3) uint8 RGB, what the generator should paint: DAB of `ihc`, hematoxylin of `he`. The sections
            are neighbours; this puts the nuclei where the H&E has them.
        white: (R, G, B) of the glass in `he`.
    """

    case: str
    he: RGBImage
    ihc: RGBImage
    target: RGBImage
    white: tuple[float, float, float]


@dataclass(frozen=True)
class Fields:
    """Many registered fields, perhaps on the disk, and how they become pairs.

    Attributes:
        cases: of every field.
        he, ihc: (N, px, px, 3) uint8 RGB as photographed.
        white_he, white_ihc: (N, 3) RGB of their glass.
        rows: (M,) which of the N are meant.
        gain: DAB to paint per DAB measured.
    """

    cases: Sequence[str]
    he: npt.NDArray[np.uint8]
    ihc: npt.NDArray[np.uint8]
    white_he: npt.NDArray[np.float32]
    white_ihc: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int64]
    gain: float = 1.0
    _paleness: dict[int, float] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def pair(self, index: int, side: int = FIELD_PX) -> Pair:
        """Return a whole field, reduced to this side."""
        return self._pair(int(self.rows[index]), np.s_[:, :], side)

    def pairs(self, most: int | None = None) -> list[Pair]:
        """Return all fields, or at most so many, spread evenly."""
        count = len(self) if most is None else min(most, len(self))
        return [self.pair(int(index)) for index in np.linspace(0, len(self) - 1, count).round()]

    def crop(self, rng: np.random.Generator, index: int, px: int) -> npt.NDArray[np.uint8]:
        """Cut a random square, at the generator's scale or up to twice as large: (9, px, px) of H&E, target, IHC."""
        zoom = 1.0 if rng.random() < 0.5 else float(rng.uniform(1, STORED))
        largest = self.he.shape[1]
        side = min(largest, round(px * STORED / zoom))
        y, x = (int(rng.integers(largest - side + 1)) for _ in range(2))
        pair = self._pair(int(self.rows[index]), np.s_[y : y + side, x : x + side], px)
        return np.concatenate([pair.he, pair.target, pair.ihc], axis=2).transpose(2, 0, 1)

    def _pair(self, row: int, window: tuple[slice, slice], side: int) -> Pair:
        white = self.white_he[row].astype(np.float64)
        he, ihc = _reduce(self.he[row][window], side), self._clean(row, window, side)
        if row not in self._paleness:
            whole = np.s_[:, :]
            self._paleness[row] = paleness(_reduce(self.he[row], FIELD_PX), white, self._clean(row, whole, FIELD_PX))
        target = composite(he, white, ihc, paleness=self._paleness[row], gain=self.gain)
        return Pair(self.cases[row], he, ihc, target, (float(white[0]), float(white[1]), float(white[2])))

    def _clean(self, row: int, window: tuple[slice, slice], side: int) -> RGBImage:
        clean = np.clip(self.ihc[row][window] * (TARGET_WHITE / self.white_ihc[row]) + 0.5, 0, 255)
        return _reduce(clean.astype(np.uint8), side)


def open_fields(
    data: DataSet, folder: Path, *, scale: float, mpp: float | None, gain: float = 1.0, progress: Progress = no_progress
) -> dict[Subset, Fields]:
    """Read all pairs of a data set, by what they are used for.

    Args:
        folder: where caches are kept.
        scale: micrometres per pixel of the generator.
        mpp: of images that do not say so. None takes them as reduced to the generator's scale already where they are
            not larger than two fields, else as scanned at 40x.
    """
    cache = build_pair_cache(
        data,
        folder,
        field_px=STORED * FIELD_PX,
        mpp_target=scale / STORED,
        mpp=mpp or (scale if _is_small(data.items[0]) else None),
        progress=progress,
    )
    return {
        subset: Fields(
            cache.cases, cache.he, cache.ihc, cache.white_he, cache.white_ihc, rows=cache.of(subset), gain=gain
        )
        for subset in Subset
    }


def paleness(he: RGBImage, white: White, ihc: RGBImage) -> float:
    """Return how much hematoxylin to paint per hematoxylin of the H&E, so that its detail is as strong as in the IHC.

    Args:
        white: (3,) RGB of the glass in `he`; that of `ihc` is the common one.
    """
    real = separate(ihc, np.full(3, TARGET_WHITE)).hematoxylin
    nuclei = separate_he(he, white).hematoxylin
    return float(np.clip(np.std(_fine(real)) / max(float(np.std(_fine(nuclei))), 1e-4), 0.3, 1.5))


def composite(he: RGBImage, white: White, ihc: RGBImage, *, paleness: float, gain: float = 1.0) -> RGBImage:
    """Mix the DAB of the IHC and the paled hematoxylin of the H&E on the common white background."""
    nuclei = separate_he(he, white).hematoxylin * paleness
    real = separate(ihc, np.full(3, TARGET_WHITE)).dab
    brown = np.maximum(real, np.minimum(real * gain, CLEAR))
    vectors = np.array(H_DAB) / np.linalg.norm(H_DAB, axis=1, keepdims=True)
    density = np.stack([nuclei, brown], axis=-1) @ vectors
    return np.asarray(np.clip(TARGET_WHITE * 10.0**-density + 0.5, 0, 255), np.uint8)


def _is_small(item: Item) -> bool:
    try:
        return bool(max(read_image(item.path).image.shape) <= STORED * FIELD_PX)
    except (InvalidImageError, TooLargeError):  # named where the pairs are read
        return False


def _fine(density: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(density - cv2.GaussianBlur(density, (0, 0), 2.0), np.float32)


def _reduce(image: RGBImage, side: int) -> RGBImage:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
