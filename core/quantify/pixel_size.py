"""The pixel size read off the size of the nuclei."""

import numpy as np

from core.images import resize_to
from core.quantify.nuclei_classical import at, blob_response, peaks
from core.stains.separation import White, separate
from core.types import RGBImage

WORKING_MPP = 0.5
"""Micrometres per pixel at which nuclei are sought: 40x at half resolution."""

_SCALE_SIGMAS_PX = tuple(2.6 * 1.27**step for step in range(8))
_PEAK_SIGMA_PX = 7.3
"""Sigma with the strongest answer on the fields the detector was tuned on, at their working resolution."""

_BLOBS_PER_AREA = 0.004
"""Strongest blobs that are compared, per area of one squared sigma."""


def estimate_mpp(image: RGBImage, white: White) -> float:
    """Guess the pixel size from the blob size that answers most strongly, between 0.14 and 0.9 um/px.

    Works on the central 1024 pixels. Nuclei of the tuning fields, taken as 40x, are the yardstick.
    """
    top, left = (max(0, (side - 1024) // 2) for side in image.shape[:2])
    middle = image[top : top + 1024, left : left + 1024]
    stains = separate(resize_to(middle, (max(8, middle.shape[1] // 2), max(8, middle.shape[0] // 2))), white)
    density = np.sqrt(stains.hematoxylin) + np.sqrt(stains.dab)
    strengths = []
    for sigma in _SCALE_SIGMAS_PX:
        response = blob_response(density, sigma)
        found = np.sort(at(response, peaks(response, 0.01, max(2, round(sigma)))))
        compared = max(8, int(_BLOBS_PER_AREA * density.size / sigma**2))
        strengths.append(float(found[-compared:].sum()) / compared)
    best = _vertex(strengths)
    sigma = _SCALE_SIGMAS_PX[0] * (_SCALE_SIGMAS_PX[1] / _SCALE_SIGMAS_PX[0]) ** best
    return float(np.clip(WORKING_MPP * 0.5 * _PEAK_SIGMA_PX / sigma, 0.14, 0.9))


def _vertex(values: list[float]) -> float:
    """Return the position of the maximum, refined by the parabola through its neighbours."""
    middle = int(np.clip(np.argmax(values), 1, len(values) - 2))
    left, centre, right = values[middle - 1 : middle + 2]
    bend = left - 2 * centre + right
    return middle + (float(np.clip(0.5 * (left - right) / bend, -1.0, 1.0)) if bend < 0 else 0.0)
