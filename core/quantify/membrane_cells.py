"""The cells of a membrane stain: nuclei that were found, without brown junctions, and those hidden between membranes.

Detectors of nuclei take brown for stained nuclei. A membrane marker stains none: brown spots are where membranes meet,
or cytoplasm, and the nuclei of strongly stained cells are the pale holes between them.
"""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from core.images import resize_to
from core.quantify.nuclei import chosen_nuclei
from core.quantify.nuclei_classical import at, blob_response, peaks
from core.quantify.outlines import means, outline
from core.stains.separation import Separation, White, separate
from core.types import Nuclei, RGBImage

Floats = npt.NDArray[np.float32]

WORK_MPP = 0.5
BLOCK_PX, HALO_PX = 1024, 48

SIGMA_PX, DISTANCE_PX = 5.8, 8
"""Size of a nucleus as a blob, and least distance of two, at 0.5 um/px."""

LEAST_RESPONSE, LEAST_HEMATOXYLIN = 0.056, 0.24
"""As for unstained nuclei of the classical detector: of the square root of hematoxylin."""

HOLE_WEIGHT, HOLE_RESPONSE, HOLE_DAB = 0.5, 0.15, 0.3
"""A pale hole in DAB counts half as much as a blob of hematoxylin; a hole alone needs this depth and DAB around it."""

LARGEST_DAB = 1.5
"""Darker brown holds no more information: the light is gone."""

SPILL_SHARE = 0.3
"""DAB that is taken from hematoxylin before outlines are drawn: dark brown looks a little blue after separation."""

SAME_CELL_PX, HIDDEN_PX = 8.0, 12.0
"""A cell nearer than this to another is the same; a brown spot hides nuclei within this distance from a detector.
At 0.5 um/px."""


def membrane_cells(image: RGBImage, nuclei: Nuclei, white: White) -> Nuclei:
    """Return the cells of a membrane stain.

    Args:
        image: (H, W, 3) uint8 RGB, the one that the nuclei were found on.
        nuclei: by either method; those that look stained are given up, and looked for anew as hematoxylin or holes.
        white: (3,) RGB of the glass.
    Returns:
        Cells without measured membranes, none of them stained; outlines are drawn on hematoxylin alone.
    """
    factor = min(1.0, nuclei.mpp / WORK_MPP)
    height, width = image.shape[:2]
    working = resize_to(image, (max(8, round(width * factor)), max(8, round(height * factor))))
    scale = np.array([width / working.shape[1], height / working.shape[0]], np.float32)
    places = (nuclei.centres + np.float32(0.5)) / scale - np.float32(0.5)
    parts = []
    for top in range(0, working.shape[0], BLOCK_PX):
        for left in range(0, working.shape[1], BLOCK_PX):
            corner = np.array([max(0, left - HALO_PX), max(0, top - HALO_PX)])
            window = working[corner[1] : top + BLOCK_PX + HALO_PX, corner[0] : left + BLOCK_PX + HALO_PX]
            seen = _within(places, corner, (window.shape[1], window.shape[0]))
            cells = _cells(
                separate(window, white), chosen_nuclei(nuclei, seen), (places[seen] - corner).astype(np.float32)
            )
            own = _within(cells.centres + corner, np.array([left, top]), (BLOCK_PX, BLOCK_PX))
            parts.append(_moved(chosen_nuclei(cells, own), corner.astype(np.float32), scale))
    return _joined(*parts)


def _within(
    places: npt.NDArray[np.floating], corner: npt.NDArray[np.integer], size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Tell which of (N, 2) places lie in the pixels of a box."""
    inside = (places + 0.5 >= corner) & (places + 0.5 < corner + np.array(size))
    return np.asarray(inside.all(axis=1), np.bool_)


def _cells(stains: Separation, nuclei: Nuclei, places: Floats) -> Nuclei:
    """Return the cells of one window in its own pixels: unstained nuclei, and those hidden from the detector.

    Args:
        nuclei: of this window.
        places: (N, 2) their centres in pixels of the window.
    """
    kept, spots = places[~nuclei.positive], places[nuclei.positive]
    hidden, certainty = _hidden(stains, kept, spots)
    centres = np.concatenate([kept, hidden])
    pure = np.maximum(stains.hematoxylin - np.float32(SPILL_SHARE) * stains.dab, 0)
    outlined = outline(centres, np.asarray(pure, np.float32), None)
    return replace(
        nuclei,
        centres=centres,
        outlines=outlined.polygons,
        area_um2=outlined.area * np.float32(WORK_MPP**2),
        dab_od=means(stains.dab, centres, outlined.polygons),
        hematoxylin_od=means(stains.hematoxylin, centres, outlined.polygons),
        positive=np.zeros(len(centres), np.bool_),
        confidence=np.concatenate([nuclei.confidence[~nuclei.positive], certainty]),
    )


def _hidden(stains: Separation, kept: Floats, spots: Floats) -> tuple[Floats, Floats]:
    """Find clear holes in DAB, and blobs of hematoxylin beside a brown spot: (M, 2) centres and (M,) confidence."""
    blue, brown = (np.asarray(np.sqrt(part), np.float32) for part in (stains.hematoxylin, stains.dab))
    brown = np.minimum(brown, np.float32(LARGEST_DAB**0.5))
    hole = -blob_response(brown, SIGMA_PX)
    response = np.asarray(blob_response(blue, SIGMA_PX) + HOLE_WEIGHT * np.maximum(hole, 0), np.float32)
    centres = peaks(response, LEAST_RESPONSE, DISTANCE_PX)
    deep = (at(hole, centres) > HOLE_RESPONSE) & (at(cv2.GaussianBlur(brown, (0, 0), 2.0), centres) > HOLE_DAB)
    chromatin = at(cv2.GaussianBlur(blue, (0, 0), 2.0), centres) > LEAST_HEMATOXYLIN
    chosen = deep | (chromatin & (_distances(centres, spots) < HIDDEN_PX))
    chosen &= _distances(centres, kept) > SAME_CELL_PX
    strength = at(response, centres[chosen]) / LEAST_RESPONSE
    return centres[chosen], np.asarray(1 - 0.5 / np.maximum(strength, 1), np.float32)


def _distances(points: Floats, others: Floats) -> npt.NDArray[np.float64]:
    """Return how far each of (N, 2) points is from the nearest of the others, (N,); endless without any."""
    if not len(points) or not len(others):
        return np.full(len(points), np.inf)
    return np.asarray(cKDTree(others).query(points)[0], np.float64)


def _moved(cells: Nuclei, corner: Floats, scale: Floats) -> Nuclei:
    """Bring cells from pixels of a window to those of the image."""
    shift = corner + np.float32(0.5)
    return replace(
        cells,
        centres=(cells.centres + shift) * scale - np.float32(0.5),
        outlines=(cells.outlines + shift) * scale - np.float32(0.5),
        area_um2=cells.area_um2 * np.float32(scale.prod() * (cells.mpp / WORK_MPP) ** 2),
    )


def _joined(*parts: Nuclei) -> Nuclei:
    return replace(
        parts[0],
        centres=np.concatenate([part.centres for part in parts]),
        outlines=np.concatenate([part.outlines for part in parts]),
        area_um2=np.concatenate([part.area_um2 for part in parts]),
        dab_od=np.concatenate([part.dab_od for part in parts]),
        hematoxylin_od=np.concatenate([part.hematoxylin_od for part in parts]),
        positive=np.concatenate([part.positive for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
    )
