"""How fit an image is for scoring: tissue, sharpness, brightness, contrast."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from core.images import resize_to_fit
from core.stains.separation import White, white_point
from core.types import Mask, Notice, QualityReport, RGBImage

TISSUE_SIDE_PX = 1024
"""The tissue is looked for in a copy of at most this side: quick on whole cores and insensitive to single pixels."""

TISSUE_DENSITY = 0.04
"""Mean optical density over the channels from which anything is tissue; coverslip edges and uneven light stay below."""

PALE_DENSITY, PALE_TEXTURE = 0.0075, 0.0045
"""Paler pixels are tissue if they are textured as well (standard deviation of the density in a small window).

Measured on the shared images: clean glass 0.003 and 0.002, noisy glass 0.006 and 0.013, grey glass 0.032 and 0.002,
pale tissue of unstained cores 0.011 and 0.013.
"""

COLOURED_DENSITY, COLOURED_CHROMA = 0.014, 0.0085
"""Pale pixels without texture are tissue if one channel absorbs more than another (faint stain on grey glass)."""

MEAN_OF_CHANNELS = np.full((1, 3), 1 / 3, np.float32)

MIN_OBJECT_SHARE = 5e-4
"""Connected parts smaller than this share of the image are dust."""

SHARPNESS_LIMIT = 22.0
"""Variance of the Laplacian below which an image is blurred, gray levels counted from a glass of 255.

Measured on the shared images: the least sharp ones in focus have 28 (shidc p1_0319_1) and 35 (faintest BCI patch), the
one that is out of focus (MIST 28M2101987) has 19; blurred by a Gaussian of 4 px none exceeds 7, or 15 after JPEG.
"""

DARK_LIMIT = 60.0
"""Mean gray level below which the light was too weak; the darkest shared image, densely stained, has 94."""

CONTRAST_LIMIT = 6.0
"""Standard deviation of gray over tissue, from a glass of 255; the faintest shared image has 7.0."""

BLANK_LIMIT = 0.01
"""Share of tissue below which there is nothing to score; dust on empty glass reaches 0.007."""


BAND_ROWS, SAMPLED_PX = 128, 4_000_000
GRAY_OF_RGB = (0.299, 0.587, 0.114)


class Rectangle(Protocol):
    """A box in pixels: top left corner and extent."""

    @property
    def x(self) -> int: ...
    @property
    def y(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


def tissue_mask(image: RGBImage, white: White | None = None) -> Mask:
    """Find tissue: pixels that absorb light, or are textured as pale tissue is.

    Args:
        image: (H, W, 3) uint8 RGB.
        white: (3,) RGB of the glass; estimated from the image by default.
    Returns:
        (H, W) bool.
    """
    white = white_point(image) if white is None else white
    small = resize_to_fit(image, TISSUE_SIDE_PX)
    # Not clipped at zero as `optical_density` is: the noise of clean glass has to cancel out.
    levels = np.maximum(np.arange(256, dtype=np.float64), 1)[:, None]
    density = cv2.LUT(small, (-np.log10(levels / white)).astype(np.float32)[None])
    fine, coarse = (cv2.GaussianBlur(density, (0, 0), sigma) for sigma in (2.0, 4.0))
    mean = cv2.transform(fine, MEAN_OF_CHANNELS)
    detail = cv2.transform(density, MEAN_OF_CHANNELS) - mean
    texture = cv2.GaussianBlur(detail * detail, (0, 0), 4.0)
    red, green, blue = cv2.split(coarse)  # numpy reduces a last axis of three 20 times slower
    highest = cv2.max(cv2.max(red, green), blue)
    chroma = highest - cv2.min(cv2.min(red, green), blue)
    found = mean > TISSUE_DENSITY
    found |= (cv2.transform(coarse, MEAN_OF_CHANNELS) > PALE_DENSITY) & (texture > PALE_TEXTURE**2)
    found |= (highest > COLOURED_DENSITY) & (chroma > COLOURED_CHROMA)
    mask = found.astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= MIN_OBJECT_SHARE * mask.size
    large[0] = False
    kept = large[labels]
    if kept.shape == image.shape[:2]:
        return np.asarray(kept, dtype=np.bool_)
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(kept.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST), dtype=np.bool_)


def tissue_fractions(mask: Mask, boxes: Sequence[Rectangle], scale: float = 1.0) -> npt.NDArray[np.float64]:
    """Return the share of tissue in each box.

    Args:
        mask: (H, W) bool.
        boxes: N boxes in pixels of the image.
        scale: mask pixels per image pixel (0.25 for the mask of a four times smaller copy).
    Returns:
        (N,) float64 in [0, 1].
    """
    height, width = mask.shape
    sums = cv2.integral(mask.astype(np.uint8))  # (H + 1, W + 1)
    fractions = np.zeros(len(boxes))
    for index, box in enumerate(boxes):
        left, top = (min(round(value * scale), limit - 1) for value, limit in ((box.x, width), (box.y, height)))
        right = min(max(round((box.x + box.width) * scale), left + 1), width)
        bottom = min(max(round((box.y + box.height) * scale), top + 1), height)
        total = int(sums[bottom, right]) - int(sums[top, right]) - int(sums[bottom, left]) + int(sums[top, left])
        fractions[index] = total / ((right - left) * (bottom - top))
    return fractions


def assess(image: RGBImage, white: White | None = None, mask: Mask | None = None) -> QualityReport:
    """Measure how fit an image is for scoring.

    Args:
        image: (H, W, 3) uint8 RGB.
        white, mask: white point and tissue of the same image where they are known already.
    """
    white = white_point(image) if white is None else white
    mask = tissue_mask(image, white) if mask is None else mask
    contrast, edges = _deviations(image, mask if mask.any() else np.ones_like(mask))
    # A dim lamp halves all differences: counted from a glass of 255, faint light is not mistaken for blur.
    gain = 255 / max(float(np.dot(white, GRAY_OF_RGB)), 1)
    return QualityReport(
        sharpness=(edges * gain) ** 2,
        sharpness_limit=SHARPNESS_LIMIT,
        brightness=float(resize_to_fit(image, 512).mean(axis=(0, 1)) @ GRAY_OF_RGB),
        contrast=contrast * gain,
        tissue_fraction=float(mask.mean()),
        white_point=(float(white[0]), float(white[1]), float(white[2])),
    )


def quality_notices(report: QualityReport) -> tuple[Notice, ...]:
    """Say in words what is wrong with an image, what it means for the score and what to do."""
    if report.tissue_fraction < BLANK_LIMIT:
        return (
            Notice(
                "blank",
                "warning",
                f"Almost no tissue: {report.tissue_fraction:.1%} of the image, at least {BLANK_LIMIT:.1%} is needed. "
                "There is nothing to score; choose a field with tissue.",
            ),
        )
    found = []
    if report.sharpness < report.sharpness_limit:
        found.append(
            Notice(
                "blurred",
                "warning",
                f"Blurred: sharpness {report.sharpness:.2g}, usual from {report.sharpness_limit:.2g}. "
                "The score may be too low. Focus and scan again, at 40x if you can.",
            )
        )
    if report.brightness < DARK_LIMIT:
        found.append(
            Notice(
                "dark",
                "warning",
                f"Dark: mean gray level {report.brightness:.0f}, usual from {DARK_LIMIT:.0f}. "
                "Stain may be overestimated. Raise the exposure and take the image again.",
            )
        )
    if report.contrast < CONTRAST_LIMIT:
        found.append(
            Notice(
                "low-contrast",
                "warning",
                f"Low contrast: {report.contrast:.1f} gray levels over tissue, usual from {CONTRAST_LIMIT:.0f}. "
                "Faint stain may be missed. Check illumination and exposure.",
            )
        )
    return tuple(found)


def _deviations(image: RGBImage, mask: Mask) -> tuple[float, float]:
    """Measure the standard deviations of gray and of its Laplacian over a mask that is not empty.

    Much tissue is sampled in bands of rows spread over its height: 4 megapixels tell as much as 30.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    step = BAND_ROWS * max(1, round(np.count_nonzero(mask) / SAMPLED_PX))
    levels, edges = [], []
    for row in range(int(rows[0]), int(rows[-1]) + 1, step):
        gray = cv2.cvtColor(image[row : row + BAND_ROWS], cv2.COLOR_RGB2GRAY)
        inside = mask[row : row + BAND_ROWS]
        levels.append(gray[inside])
        edges.append(cv2.Laplacian(gray, cv2.CV_16S)[inside])
    return float(np.concatenate(levels).std()), float(np.concatenate(edges).astype(np.float32).std())
