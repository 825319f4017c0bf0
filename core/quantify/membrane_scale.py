"""The pixel size of a membrane stain, read off how many nuclei the learned detector finds at each size it might have.

Blobs of stain, by which `core.quantify.pixel_size` measures a nuclear stain, are junctions and texture here.
"""

from collections.abc import Mapping

import numpy as np

from core.labels import OperatingPoint
from core.quantify.nuclei_learned import Limits, find_seeds
from core.quantify.pixel_size import middle_at
from core.quantify.seeds import Detect
from core.stains.separation import White
from core.stains.white import balance_white
from core.types import Notice, RGBImage

CANDIDATES_MPP = (0.177, 0.25, 0.354, 0.5, 0.707)
"""Micrometres per pixel of 40x and 20x scans and what lies between, in steps of the square root of two."""

USUAL_MPP = (0.25, 0.5)
"""40x and 20x, at which a given size is checked where it is another."""

OTHER_SIZE = 1.6
"""Ratio of two pixel sizes from which they are different magnifications."""

WINDOW_PX = 512
"""Side of the central part that is looked at, in pixels of 0.5 um."""

TIMES_MORE, LEAST_FOUND = 2.5, 2.0
"""How much more must be found at another size to doubt the given one, and how much at all (confidence added up over
100 x 100 working pixels). At their true scale the shared cores and patches reach 2.0 times, or find less."""


def found_at(
    image: RGBImage,
    white: White,
    mpp: float,
    detect: Detect,
    limits: Mapping[OperatingPoint, Limits] | None = None,
) -> float:
    """Return how much the detector finds in the middle of an image if its pixels are `mpp` um wide.

    Args:
        image: (H, W, 3) uint8 RGB.
    Returns:
        Confidence of the nuclei added up, per 100 x 100 pixels of 0.5 um.
    """
    middle = middle_at(image, mpp, WINDOW_PX)
    seeds = find_seeds(balance_white(middle, white), detect, limits=limits)
    return float(1e4 * seeds.confidence.sum() / (middle.shape[0] * middle.shape[1]))


def likeliest_mpp(
    image: RGBImage, white: White, detect: Detect, limits: Mapping[OperatingPoint, Limits] | None = None
) -> float:
    """Return the candidate at which the detector finds most; arguments as in `found_at`."""
    found = [found_at(image, white, mpp, detect, limits) for mpp in CANDIDATES_MPP]
    best = int(np.argmax(found))
    return CANDIDATES_MPP[best]


def membrane_scale_finding(
    image: RGBImage,
    white: White,
    mpp: float,
    detect: Detect,
    limits: Mapping[OperatingPoint, Limits] | None = None,
) -> Notice | None:
    """Warn where far more nuclei are found at another pixel size than at the given one; None if it can be right.

    Args:
        mpp: micrometres per pixel as the file or the user says; the rest as in `found_at`.
    """
    others = [usual for usual in USUAL_MPP if max(usual / mpp, mpp / usual) >= OTHER_SIZE]
    if not others:
        return None
    found = [found_at(image, white, other, detect, limits) for other in others]
    best = int(np.argmax(found))
    if found[best] < max(LEAST_FOUND, TIMES_MORE * found_at(image, white, mpp, detect, limits)):
        return None
    return Notice(
        "scale-implausible",
        "warning",
        f"At {mpp:.3g} µm per pixel hardly any nuclei look like nuclei; at about {others[best]:.2g} µm they "
        "do. Check the magnification, choose the right one and run again; all figures depend on it.",
    )
