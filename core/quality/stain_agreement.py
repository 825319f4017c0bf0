"""How far a virtual stain is from the real one of the same field.

SSIM and PSNR per pixel; DAB on blocks of 4 px, since such pairs are neighbouring sections and not one.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from core.stains.separation import separate
from core.types import DensityMap, RGBImage

TARGET_WHITE = 240.0
"""Background of every virtual stain, so that its densities compare whatever the scanner of the pair was."""

BLOCK_PX = 4
STAINED = 0.15
"""Optical density of DAB from which a block counts as stained."""

MOST_DB = 100.0
"""PSNR of equal pictures."""


@dataclass(frozen=True)
class Judgement:
    """How far a virtual stain is from the real one.

    Attributes:
        ssim: structural similarity, at most 1.
        psnr: in decibels.
        dab_correlation: of DAB densities of blocks; 0 where the virtual stain has no contrast.
        dice: overlap of the stained blocks; 0 where nothing is stained in either.
        dab_error: absolute difference of the mean DAB density.
    """

    ssim: float
    psnr: float
    dab_correlation: float
    dice: float
    dab_error: float


def judge(virtual: RGBImage, real: RGBImage) -> Judgement:
    """Compare a virtual stain with the real one, both (H, W, 3) uint8 RGB on the common white background."""
    found, truth = dab_blocks(virtual), dab_blocks(real)
    stained, really = found > STAINED, truth > STAINED
    varied = found.std() > 0 and truth.std() > 0
    psnr = float(min(peak_signal_noise_ratio(real, virtual), MOST_DB)) if (virtual != real).any() else MOST_DB
    return Judgement(
        ssim=float(structural_similarity(virtual, real, channel_axis=2)),
        psnr=psnr,
        dab_correlation=float(np.corrcoef(found.ravel(), truth.ravel())[0, 1]) if varied else 0.0,
        dice=float(2 * (stained & really).sum() / max(1, stained.sum() + really.sum())),
        dab_error=float(abs(found.mean() - truth.mean())),
    )


def dab_blocks(image: RGBImage) -> DensityMap:
    """Return the mean DAB density of blocks of an image on the common background, (H / 4, W / 4) float32."""
    dab = separate(image, np.full(3, TARGET_WHITE)).dab
    size = (max(1, image.shape[1] // BLOCK_PX), max(1, image.shape[0] // BLOCK_PX))
    return np.asarray(cv2.resize(dab, size, interpolation=cv2.INTER_AREA), np.float32)
