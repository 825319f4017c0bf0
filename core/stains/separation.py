"""Colour deconvolution: from RGB to the optical density of each stain (Beer-Lambert).

Optical densities are decadic: -log10(I / I0) with I0 the white point of the image itself.
Source: Ruifrok and Johnston 2001, Anal Quant Cytol Histol 23(4), 291-299.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.images import resize_to, resize_to_fit
from core.types import DensityMap, RGBImage

White = npt.NDArray[np.float64]
"""(3,) RGB of the empty background, in [1, 255]."""

HEMATOXYLIN = (0.65, 0.70, 0.29)
EOSIN = (0.07, 0.99, 0.11)
DAB = (0.27, 0.57, 0.78)

StainPair = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Optical density of two stains in R, G, B; any length."""

H_DAB: StainPair = (HEMATOXYLIN, DAB)
H_AND_E: StainPair = (HEMATOXYLIN, EOSIN)

MAX_GREEN_DEFICIT = 0.06
"""Glass may be grey, yellow or greenish; red exceeding green by more than this share is eosin or DAB, not glass.

Largest seen on glass of the shared images: 0.04; smallest brightest tenth of images full of tissue: 0.10.
"""

MAX_BLUE_EXCESS = 0.09
"""Blue exceeding red by more than this share of white is hematoxylin (bluish scanners reach 0.04)."""

MAX_YELLOW = 0.22
"""Red exceeding blue by more than this share is DAB (the yellowest glass seen has 0.16)."""

DARKEST_GLASS = 120.0
"""Lit glass is never darker in the brightest channel (darkest seen: 176); keeps densities finite for black images."""

BRIGHTEST_SHARES = (10.0, 2.0)
"""Percent of the brightest pixels that are tried as glass, in this order."""

STRIP_ROWS = 512


@dataclass(frozen=True)
class Separation:
    """Optical densities of the stains of an IHC image.

    Attributes:
        hematoxylin, dab, residual: (H, W) float32, >= 0.
    """

    hematoxylin: DensityMap
    dab: DensityMap
    residual: DensityMap


@dataclass(frozen=True)
class HESeparation:
    """Optical densities of the stains of an H&E image.

    Attributes:
        hematoxylin, eosin, residual: (H, W) float32, >= 0.
    """

    hematoxylin: DensityMap
    eosin: DensityMap
    residual: DensityMap


def white_point(image: RGBImage) -> White:
    """Estimate the colour of empty glass, which differs between scanners (grey 176 to 255, and tinted).

    The brightest tenth is glass where its colour could be; otherwise the brightest fiftieth; in a field that is full
    of tissue the glass is taken as neutral at the level of the brightest channel.

    Args:
        image: (H, W, 3) uint8 RGB.
    Returns:
        (3,) float64 RGB.
    """
    # Smoothed: otherwise the brightest tenth of noisy glass is its noise.
    small = cv2.GaussianBlur(resize_to_fit(image, 512), (0, 0), 2.0)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    for share in BRIGHTEST_SHARES:
        brightest = small[gray >= np.percentile(gray, 100 - share)]
        white: White = np.median(brightest, axis=0).astype(np.float64)
        if _could_be_glass(white):
            return white
    level = float(np.percentile(small.reshape(-1, 3), 99.5, axis=0).max())
    return np.full(3, max(level, DARKEST_GLASS))


def optical_density(image: RGBImage, white: White | None = None) -> npt.NDArray[np.float32]:
    """Return -log10(I / white) per channel.

    Args:
        image: (H, W, 3) uint8 RGB.
        white: (3,) RGB of the glass; estimated from the image by default.
    Returns:
        (H, W, 3) float32, at least 0: nothing is brighter than glass.
    """
    white = white_point(image) if white is None else white
    levels = np.maximum(np.arange(256, dtype=np.float64), 1)[:, None]
    table = np.maximum(-np.log10(levels / white), 0).astype(np.float32)
    return np.asarray(cv2.LUT(image, table[None]), dtype=np.float32)


def separate(
    image: RGBImage, white: White | None = None, *, downsample: float = 1.0, stains: StainPair = H_DAB
) -> Separation:
    """Separate hematoxylin and DAB.

    Args:
        image: (H, W, 3) uint8 RGB of an IHC image.
        white: (3,) RGB of the glass; estimated from the image by default.
        downsample: shrink the image by this factor first (area mean); the maps have the smaller size.
        stains: colours of hematoxylin and DAB, as `core.stains.vectors` estimates them for one image.
    """
    hematoxylin, dab, residual = _unmix(image, white, stains, downsample)
    return Separation(hematoxylin, dab, residual)


def separate_he(image: RGBImage, white: White | None = None, *, downsample: float = 1.0) -> HESeparation:
    """Separate hematoxylin and eosin; arguments as in `separate`."""
    hematoxylin, eosin, residual = _unmix(image, white, H_AND_E, downsample)
    return HESeparation(hematoxylin, eosin, residual)


def _could_be_glass(colour: White) -> bool:
    red, green, blue = colour
    top = max(float(colour.max()), 1.0)
    return bool(
        top >= DARKEST_GLASS
        and (red - green) / top <= MAX_GREEN_DEFICIT
        and (blue - red) / top <= MAX_BLUE_EXCESS
        and (red - blue) / top <= MAX_YELLOW
    )


def _unmix(
    image: RGBImage,
    white: White | None,
    stains: StainPair,
    downsample: float,
) -> tuple[DensityMap, DensityMap, DensityMap]:
    """Solve density = amounts x stain vectors, with the normal of both stains as the residual direction."""
    white = white_point(image) if white is None else white
    if downsample > 1:
        height, width = image.shape[:2]
        image = resize_to(image, (max(1, round(width / downsample)), max(1, round(height / downsample))))
    vectors = np.array([*stains, np.cross(*stains)], dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    inverse = np.linalg.inv(vectors).T.astype(np.float32)
    maps = tuple(np.empty(image.shape[:2], np.float32) for _ in range(3))
    for row in range(0, image.shape[0], STRIP_ROWS):  # strips stay in the cache: three times faster on a whole core
        amounts = cv2.transform(optical_density(image[row : row + STRIP_ROWS], white), inverse)
        for part, values in zip(cv2.split(amounts), maps, strict=True):
            np.maximum(part, 0, out=values[row : row + STRIP_ROWS])
    return maps[0], maps[1], maps[2]
