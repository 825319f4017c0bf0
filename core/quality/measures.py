"""How fit an image is for scoring: tissue, sharpness, brightness, contrast."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from core.images import resize_to_fit
from core.stains.separation import White, optical_density, white_point
from core.types import Mask, Notice, QualityReport, RGBImage

TISSUE_SIDE_PX = 1024
"""The tissue is looked for in a copy of at most this side: quick on whole cores and insensitive to single pixels."""

TISSUE_DENSITY = 0.035
"""Optical density from which smoothed pixels are tissue."""

TISSUE_TEXTURE = 0.012
"""Standard deviation of the optical density in a small window from which pale pixels are tissue."""

MIN_OBJECT_SHARE = 2e-4
"""Connected parts smaller than this share of the image are dust."""

SHARPNESS_LIMIT = 30.0
DARK_LIMIT = 70.0
CONTRAST_LIMIT = 4.0
BLANK_LIMIT = 0.005


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
    density = optical_density(small, white).mean(axis=2)
    smooth = cv2.GaussianBlur(density, (0, 0), 2.0)
    square = cv2.GaussianBlur(density * density, (0, 0), 2.0)
    texture = np.sqrt(np.maximum(square - smooth * smooth, 0))
    mask = ((smooth > TISSUE_DENSITY) | (texture > TISSUE_TEXTURE)).astype(np.uint8)
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
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    laplacian = cv2.Laplacian(gray, cv2.CV_32F)
    tissue = mask if mask.any() else np.ones_like(mask)
    values = gray[tissue]
    return QualityReport(
        sharpness=float(laplacian[tissue].var()),
        sharpness_limit=SHARPNESS_LIMIT,
        brightness=float(gray.mean()),
        contrast=float(values.std()),
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
