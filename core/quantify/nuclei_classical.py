"""Nuclei as blobs of DAB (stained) and of hematoxylin (unstained), without a network."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from core.quantify.outlines import sampled
from core.quantify.seeds import Seeds
from core.types import DensityMap

Floats = npt.NDArray[np.float32]

_SURROUNDINGS = (1.5, 1.8)
"""Where the surroundings of a nucleus are looked at, in multiples of its outline."""

_HAZE_PERCENT, _HAZE_WEIGHT = 30.0, 1.5


@dataclass(frozen=True)
class NucleiParameters:
    """Detector settings, at 0.5 um/px; densities are square roots of optical density.

    Attributes:
        positive_sigma, negative_sigma: of the Laplacian of Gaussian, in pixels.
        positive_response, negative_response: least response of a nucleus.
        positive_density, negative_density: least blurred DAB and hematoxylin at its centre.
        positive_distance, negative_distance: least distance of two centres of one kind, in pixels.
        exclusion: a negative closer than this to a positive is the same nucleus, in pixels.
        positive_contrast: mean DAB optical density over the surroundings from which a nucleus is stained anyway.
    """

    positive_sigma: float = 6.6
    negative_sigma: float = 5.8
    positive_response: float = 0.16
    negative_response: float = 0.056
    positive_density: float = 0.45
    negative_density: float = 0.24
    positive_distance: int = 3
    negative_distance: int = 5
    exclusion: float = 11.5
    positive_contrast: float = 0.2


def find_seeds(hematoxylin: DensityMap, dab: DensityMap, parameters: NucleiParameters | None = None) -> Seeds:
    """Find nuclei by the Laplacian of Gaussian of the square root of each stain's density.

    Every nucleus counts: tumour, stroma and lymphocytes are not told apart.

    Args:
        hematoxylin, dab: (H, W) optical densities at 0.5 um/px.
    """
    settings = parameters or NucleiParameters()
    root_dab, root_hematoxylin = np.sqrt(dab), np.sqrt(hematoxylin)
    response = blob_response(root_dab, settings.positive_sigma)
    stained = peaks(response, settings.positive_response, settings.positive_distance)
    stained = stained[at(cv2.GaussianBlur(root_dab, (0, 0), 2.0), stained) > settings.positive_density]
    strength = at(response, stained) / settings.positive_response
    response = blob_response(root_hematoxylin, settings.negative_sigma)
    unstained = peaks(response, settings.negative_response, settings.negative_distance)
    unstained = unstained[at(cv2.GaussianBlur(root_hematoxylin, (0, 0), 2.0), unstained) > settings.negative_density]
    if len(stained) and len(unstained):
        distance, _ = cKDTree(stained).query(unstained)
        unstained = unstained[distance > settings.exclusion]
    strength = np.concatenate([strength, at(response, unstained) / settings.negative_response])
    return Seeds(
        centres=np.concatenate([stained, unstained]),
        positive=np.arange(len(strength)) < len(stained),
        confidence=np.asarray(1 - 0.5 / np.maximum(strength, 1), np.float32),  # 0.5 at the limit
    )


def stands_out(
    dab: DensityMap, centres: Floats, polygons: Floats, dab_od: Floats, parameters: NucleiParameters | None = None
) -> npt.NDArray[np.bool_]:
    """Return which nuclei hold clearly more DAB than what surrounds them, (N,) bool: pale ones are no blobs of DAB.

    Args:
        dab: (H, W) optical density at 0.5 um/px.
        polygons: (N, K, 2) outlines.
        dab_od: (N,) mean inside them.
    """
    settings = parameters or NucleiParameters()
    arms = polygons - centres[:, None]
    around = sampled(dab, np.concatenate([centres[:, None] + reach * arms for reach in _SURROUNDINGS], axis=1))
    haze = np.percentile(around, _HAZE_PERCENT, axis=1)  # not the neighbouring nuclei
    return np.asarray(dab_od - _HAZE_WEIGHT * haze > settings.positive_contrast)


def blob_response(density: DensityMap, sigma: float) -> DensityMap:
    """Return the scale-normalised negative Laplacian of Gaussian, (H, W) float32."""
    blurred = cv2.GaussianBlur(density, (0, 0), sigma)
    return np.asarray(-(sigma**2) * cv2.Laplacian(blurred, cv2.CV_32F), dtype=np.float32)


def peaks(response: DensityMap, least: float, distance: int) -> Floats:
    """Return local maxima above `least`, (N, 2) x and y."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * distance + 1, 2 * distance + 1))
    y, x = np.nonzero((response > least) & (response == cv2.dilate(response, kernel)))
    return np.stack([x, y], axis=1).astype(np.float32)


def at(values: DensityMap, points: Floats) -> Floats:
    """Return the values of the pixels that (N, 2) points lie in, (N,)."""
    x, y = points.astype(np.intp).T
    return np.asarray(values[y, x], dtype=np.float32)
