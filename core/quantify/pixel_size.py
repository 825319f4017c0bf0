"""The pixel size read off the size of the nuclei, and whether a given one can be right."""

import cv2
import numpy as np

from core.images import resize_to
from core.quantify.nuclei_classical import at, blob_response, peaks
from core.stains.separation import White, separate
from core.types import DensityMap, Notice, RGBImage

WORKING_MPP = 0.5
"""Micrometres per pixel at which nuclei are sought: 40x at half resolution."""

_SCALE_SIGMAS_PX = tuple(2.6 * 1.27**step for step in range(8))
_PEAK_SIGMA_PX = 7.3
"""Sigma with the strongest answer on the fields the detector was tuned on, at their working resolution."""

_BLOBS_PER_AREA = 0.004
"""Strongest blobs that are compared, per area of one squared sigma."""

TYPICAL_UM = 8.0
"""Diameter of the nuclei of the tuning fields."""

_SHRINK_FROM_PX = 14.0

_CHECKED_PX = 640
"""Side of the part of an image whose nuclei are measured, in working pixels."""

_CHECKED_SIGMAS_PX = tuple(1.25 * 1.27**step for step in range(15))

PLAUSIBLE_UM = (3.7, 16.5)
"""Diameters that can be on a nuclear stain.

At the true scale 6.3 to 13.5 on the shared fields, with a scale wrong by 4x 21 to 32 or 1.7 to 3.5. Other stains give
1.4 to 22 at their true scale (membranes, texture), so nothing can be said there.
"""

_MIN_BROWN = 0.003
"""Without some stained nuclei, small structures are the texture of the tissue."""


def scale_finding(image: RGBImage, white: White, mpp: float) -> Notice | None:
    """Warn where the nuclei of a nuclear stain are far too large or too small for the pixel size that was given.

    Errors of 4x are found; one of 2x may be a matter of the tissue.

    Args:
        image: (H, W, 3) uint8 RGB of a nuclear stain.
        mpp: micrometres per pixel as the file or the user says.
    """
    found = nuclear_diameter(image, white, mpp)
    if found is None or PLAUSIBLE_UM[0] <= found <= PLAUSIBLE_UM[1]:
        return None
    if found < TYPICAL_UM and _brown_share(image, white) < _MIN_BROWN:
        return None
    way = "smaller" if found > TYPICAL_UM else "larger"
    return Notice(
        "scale-implausible",
        "warning",
        f"At {mpp:.3g} µm per pixel the nuclei would be about {found:.2g} µm wide; 5 to 12 µm is usual. The pixels are "
        f"probably about {max(found / TYPICAL_UM, TYPICAL_UM / found):.1f} times {way}. Check the magnification, "
        "choose the right one and run again; all figures depend on it.",
    )


def nuclear_diameter(image: RGBImage, white: White, mpp: float) -> float | None:
    """Measure the typical diameter of the nuclei in the middle of an image, in um; None where nothing is stained."""
    stains = separate(middle_at(image, mpp, _CHECKED_PX), white)
    density = np.sqrt(stains.hematoxylin) + np.sqrt(stains.dab)
    if float(np.percentile(density, 95)) < 0.2:
        return None
    strengths = [_strength(density, sigma) for sigma in _CHECKED_SIGMAS_PX if sigma <= min(density.shape) / 6]
    if len(strengths) < 3:
        return None
    ratio = _CHECKED_SIGMAS_PX[1] / _CHECKED_SIGMAS_PX[0]
    return TYPICAL_UM * _CHECKED_SIGMAS_PX[0] * float(ratio ** _vertex(strengths)) / _PEAK_SIGMA_PX


def scaled_size(image: RGBImage, factor: float) -> tuple[int, int]:
    """Return (width, height) of an image scaled by a factor, at least 8 pixels each."""
    return max(8, round(image.shape[1] * factor)), max(8, round(image.shape[0] * factor))


def middle_at(image: RGBImage, mpp: float, side_px: int) -> RGBImage:
    """Return the middle of an image at the working scale, at most `side_px` working pixels wide and high.

    Args:
        mpp: micrometres per pixel of `image`.
    """
    factor = mpp / WORKING_MPP
    side = max(8, round(side_px / factor))
    top, left = (max(0, (length - side) // 2) for length in image.shape[:2])
    middle = image[top : top + side, left : left + side]
    return resize_to(middle, scaled_size(middle, factor))


def estimate_mpp(image: RGBImage, white: White) -> float:
    """Guess the pixel size from the blob size that answers most strongly, between 0.14 and 0.9 um/px.

    Works on the central 1024 pixels. Nuclei of the tuning fields, taken as 40x, are the yardstick.
    """
    top, left = (max(0, (side - 1024) // 2) for side in image.shape[:2])
    middle = image[top : top + 1024, left : left + 1024]
    stains = separate(resize_to(middle, (max(8, middle.shape[1] // 2), max(8, middle.shape[0] // 2))), white)
    density = np.sqrt(stains.hematoxylin) + np.sqrt(stains.dab)
    best = _vertex([_strength(density, sigma) for sigma in _SCALE_SIGMAS_PX])
    sigma = _SCALE_SIGMAS_PX[0] * (_SCALE_SIGMAS_PX[1] / _SCALE_SIGMAS_PX[0]) ** best
    return float(np.clip(WORKING_MPP * 0.5 * _PEAK_SIGMA_PX / sigma, 0.14, 0.9))


def _brown_share(image: RGBImage, white: White) -> float:
    step = max(1, max(image.shape[:2]) // _CHECKED_PX)
    stains = separate(np.ascontiguousarray(image[::step, ::step]), white)
    return float(np.mean((stains.dab > 0.3) & (stains.dab > 2 * stains.hematoxylin)))


def _strength(density: DensityMap, sigma: float) -> float:
    """Return how strongly the clearest blobs of one size answer."""
    compared = max(8, int(_BLOBS_PER_AREA * density.size / sigma**2))
    if sigma > _SHRINK_FROM_PX:  # wide Gaussians are slow, and a quarter of the resolution shows large blobs as well
        sigma, size = sigma / 4, (density.shape[1] // 4, density.shape[0] // 4)
        density = np.asarray(cv2.resize(density, size, interpolation=cv2.INTER_AREA), np.float32)
    response = blob_response(density, sigma)
    found = np.sort(at(response, peaks(response, 0.01, max(1, round(sigma)))))
    return float(found[-compared:].sum()) / compared


def _vertex(values: list[float]) -> float:
    """Return the position of the maximum, refined by the parabola through its neighbours."""
    middle = int(np.clip(np.argmax(values), 1, len(values) - 2))
    left, centre, right = values[middle - 1 : middle + 2]
    bend = left - 2 * centre + right
    return middle + (float(np.clip(0.5 * (left - right) / bend, -1.0, 1.0)) if bend < 0 else 0.0)
