"""DAB on membranes, measured per tile without any network: what a HER2 score can be checked against.

All measuring is done at 0.5 um per pixel: fine enough for a membrane and its neighbour, coarse enough for 20x scans.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from core.images import resize_to
from core.quality.measures import Rectangle, tissue_mask
from core.stains.separation import DAB, White, optical_density, separate
from core.types import DensityMap, Mask, RGBImage

WORK_MPP = 0.5
ASSUMED_MPP = 0.25
"""Micrometres per pixel where the scale is unknown: the networks' own."""

MEMBRANE_UM = 3.25
"""Window of the white top-hat: ridges narrower than this are membrane-like, a stained cytoplasm or nucleus is not."""

STAINED_OD, INTENSE_OD, INTENSE_RIDGE_OD = 0.2, 0.7, 0.4
"""DAB density from which a pixel is stained, and intensely; ridge height of an intense membrane."""

HOLLOW_MPP, HOLLOW_PX, HOLLOW_OD = 2.0, 11, 0.02
"""Empty spaces at least 11 px wide at 2 um per pixel (22 um), paler than this: fat, lumen or glass."""

STEPS_PER_OD, LARGEST_OD = 1000.0, 3.0
"""Densities are counted in bins of 1/1000."""


@dataclass(frozen=True)
class MembraneFeatures:
    """Stain of one tile, over its tissue. Densities are decadic optical densities, shares in [0, 1].

    Attributes:
        tissue: share of the tile that is tissue.
        dab_p90: 90th percentile of the DAB density.
        brown_p98: 98th percentile of the excess of blue over red absorption, in units of DAB: negative or zero for
            hematoxylin of any strength, so an unstained section stays near 0.
        ridge_p98: 98th percentile of the height of membrane-like ridges in the DAB density.
        stained_area, intense_area: share of tissue that is brown, and intensely so.
        intense_ridge: share of tissue on intense membrane-like ridges.
        hematoxylin_p90: 90th percentile of the hematoxylin density.
        hollow: share of the tile (not of its tissue) that is empty over at least 22 um: fat cells, lumen, glass.
    """

    tissue: float
    dab_p90: float
    brown_p98: float
    ridge_p98: float
    stained_area: float
    intense_area: float
    intense_ridge: float
    hematoxylin_p90: float
    hollow: float


FEATURES: tuple[str, ...] = tuple(item.name for item in fields(MembraneFeatures))
"""Columns of `features_array`."""


@dataclass(frozen=True)
class _Maps:
    """Densities of one image at working scale, in bins of 1/1000."""

    dab: npt.NDArray[np.uint16]
    brown: npt.NDArray[np.uint16]
    ridge: npt.NDArray[np.uint16]
    hematoxylin: npt.NDArray[np.uint16]
    tissue: Mask
    hollow: Mask
    factor: float


def features_array(
    image: RGBImage, boxes: Sequence[Rectangle], white: White, mpp: float | None
) -> npt.NDArray[np.float32]:
    """Measure every tile of one IHC image.

    Args:
        image: (H, W, 3) uint8 RGB.
        boxes: N tiles in pixels of `image`.
        white: (3,) RGB of the glass.
        mpp: micrometres per pixel; None where unknown, then 0.25 is assumed.
    Returns:
        (N, 9) float32, columns as in `FEATURES`; zeros where a tile has no tissue.
    """
    maps = _measure(image, white, mpp or ASSUMED_MPP)
    return np.array([astuple(_tile(maps, box)) for box in boxes], np.float32).reshape(len(boxes), len(FEATURES))


def tile_features(image: RGBImage, white: White, mpp: float | None) -> MembraneFeatures:
    """Measure one tile; arguments as in `features_array`."""

    @dataclass(frozen=True)
    class Whole:
        x: int
        y: int
        width: int
        height: int

    row = features_array(image, [Whole(0, 0, image.shape[1], image.shape[0])], white, mpp)[0]
    return MembraneFeatures(*(float(value) for value in row))


def membrane_energy(features: npt.NDArray[np.float32]) -> float:
    """Return the 90th percentile over tiles of the ridge height; 0 without tiles."""
    return upper_tiles(features[:, FEATURES.index("ridge_p98")]) if len(features) else 0.0


def upper_tiles(values: npt.NDArray[np.float32]) -> float:
    """Return the 90th percentile over tiles: the guideline asks what more than 10 % of the tumour shows."""
    return float(np.percentile(values, 90))


def _bins(density: DensityMap) -> npt.NDArray[np.uint16]:
    return np.asarray(np.clip(density, 0, LARGEST_OD) * STEPS_PER_OD, np.uint16)


def _measure(image: RGBImage, white: White, mpp: float) -> _Maps:
    factor = max(1.0, WORK_MPP / mpp)
    height, width = image.shape[:2]
    small = resize_to(image, (max(1, round(width / factor)), max(1, round(height / factor)))) if factor > 1 else image
    parts = separate(small, white)
    density = optical_density(small, white)
    brown = (density[..., 2] - density[..., 0]) * np.float32(1.0 / (DAB[2] - DAB[0]))
    dab, brown = cv2.GaussianBlur(parts.dab, (0, 0), 0.7), cv2.GaussianBlur(brown, (0, 0), 0.7)
    side = max(3, round(MEMBRANE_UM / max(mpp, WORK_MPP)) // 2 * 2 + 1)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    counted = _bins(dab)
    ridge = np.asarray(cv2.morphologyEx(counted, cv2.MORPH_TOPHAT, window), np.uint16)
    return _Maps(
        counted,
        _bins(brown),
        ridge,
        _bins(parts.hematoxylin),
        tissue_mask(small, white),
        hollow_mask(density, max(mpp, WORK_MPP)),
        factor,
    )


def hollow_mask(density: npt.NDArray[np.float32], mpp: float) -> Mask:
    """Find spaces that are empty over at least 22 um: fat cells, lumen, glass.

    Args:
        density: (H, W, 3) optical density.
        mpp: micrometres per pixel.
    Returns:
        (H, W) bool.
    """
    height, width = density.shape[:2]
    shrink = min(1.0, mpp / HOLLOW_MPP)
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    pale = cv2.resize(density, size, interpolation=cv2.INTER_AREA).mean(axis=2) < HOLLOW_OD
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (HOLLOW_PX, HOLLOW_PX))
    wide = cv2.morphologyEx(pale.astype(np.uint8), cv2.MORPH_OPEN, disk)
    return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_NEAREST), bool)


def _tile(maps: _Maps, box: Rectangle) -> MembraneFeatures:
    left, top = round(box.x / maps.factor), round(box.y / maps.factor)
    right, bottom = round((box.x + box.width) / maps.factor), round((box.y + box.height) / maps.factor)
    window = np.s_[top : max(bottom, top + 1), left : max(right, left + 1)]
    tissue = maps.tissue[window]
    if not tissue.any():
        return MembraneFeatures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    dab, brown, ridge, blue = (
        _Counts(part[window][tissue]) for part in (maps.dab, maps.brown, maps.ridge, maps.hematoxylin)
    )
    return MembraneFeatures(
        tissue=float(tissue.mean()),
        dab_p90=dab.percentile(0.90),
        brown_p98=brown.percentile(0.98),
        ridge_p98=ridge.percentile(0.98),
        stained_area=dab.above(STAINED_OD),
        intense_area=dab.above(INTENSE_OD),
        intense_ridge=ridge.above(INTENSE_RIDGE_OD),
        hematoxylin_p90=blue.percentile(0.90),
        hollow=float(maps.hollow[window].mean()),
    )


class _Counts:
    """Histogram of binned densities: percentiles without sorting."""

    def __init__(self, values: npt.NDArray[np.uint16]) -> None:
        self.share = np.cumsum(np.bincount(values, minlength=int(LARGEST_OD * STEPS_PER_OD) + 1)) / values.size

    def percentile(self, share: float) -> float:
        """Density that `share` of the pixels do not exceed."""
        return float(np.searchsorted(self.share, share)) / STEPS_PER_OD

    def above(self, density: float) -> float:
        """Share of pixels denser than this."""
        return float(1.0 - self.share[int(density * STEPS_PER_OD)])
