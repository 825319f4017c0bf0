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

SAME_CELL_UM, HIDDEN_UM = 4.0, 6.0
"""A cell nearer than this to another is the same; a brown spot hides nuclei within this distance from a detector."""


def membrane_cells(image: RGBImage, nuclei: Nuclei, white: White) -> Nuclei:
    """Return the cells of a membrane stain.

    Args:
        image: (H, W, 3) uint8 RGB, the one that the nuclei were found on.
        nuclei: by either method; those that look stained are given up, and looked for anew as hematoxylin or holes.
        white: (3,) RGB of the glass.
    Returns:
        Cells without measured membranes, none of them stained.
    """
    kept = _rows(nuclei, ~nuclei.positive)
    spots = nuclei.centres[nuclei.positive]
    factor = min(1.0, nuclei.mpp / WORK_MPP)
    height, width = image.shape[:2]
    working = resize_to(image, (max(8, round(width * factor)), max(8, round(height * factor))))
    scale = np.array([width / working.shape[1], height / working.shape[0]], np.float32)
    parts = []
    for top in range(0, working.shape[0], BLOCK_PX):
        for left in range(0, working.shape[1], BLOCK_PX):
            x, y = max(0, left - HALO_PX), max(0, top - HALO_PX)
            window = working[y : top + BLOCK_PX + HALO_PX, x : left + BLOCK_PX + HALO_PX]
            found = _find(separate(window, white), nuclei, np.array([x, y], np.float32), scale)
            places = (found.centres + 0.5) / scale
            inside = (places >= (left, top)) & (places < (left + BLOCK_PX, top + BLOCK_PX))
            parts.append(_rows(found, np.asarray(inside.all(axis=1))))
    return _joined(kept, _hidden(_joined(*parts), kept, spots))


def _find(stains: Separation, like: Nuclei, shift: Floats, scale: Floats) -> Nuclei:
    """Find cells in one block as blobs of hematoxylin and holes in DAB; `positive` marks clear holes for now."""
    blue, brown = (np.asarray(np.sqrt(part), np.float32) for part in (stains.hematoxylin, stains.dab))
    brown = np.minimum(brown, np.float32(LARGEST_DAB**0.5))
    hole = -blob_response(brown, SIGMA_PX)
    response = np.asarray(blob_response(blue, SIGMA_PX) + HOLE_WEIGHT * np.maximum(hole, 0), np.float32)
    centres = peaks(response, LEAST_RESPONSE, DISTANCE_PX)
    deep = (at(hole, centres) > HOLE_RESPONSE) & (at(cv2.GaussianBlur(brown, (0, 0), 2.0), centres) > HOLE_DAB)
    chosen = deep | (at(cv2.GaussianBlur(blue, (0, 0), 2.0), centres) > LEAST_HEMATOXYLIN)
    centres, deep = centres[chosen], deep[chosen]
    outlined = outline(centres, np.maximum(stains.hematoxylin - np.float32(SPILL_SHARE) * stains.dab, 0), None)
    return Nuclei(
        centres=(centres + shift + np.float32(0.5)) * scale - np.float32(0.5),
        outlines=(outlined.polygons + shift + np.float32(0.5)) * scale - np.float32(0.5),
        area_um2=outlined.area * np.float32(scale.prod() * like.mpp**2),
        dab_od=means(stains.dab, centres, outlined.polygons),
        hematoxylin_od=means(stains.hematoxylin, centres, outlined.polygons),
        positive=deep,
        confidence=np.asarray(1 - 0.5 / np.maximum(at(response, centres) / LEAST_RESPONSE, 1), np.float32),
        mpp=like.mpp,
        mpp_estimated=like.mpp_estimated,
        method=like.method,
    )


def _hidden(found: Nuclei, kept: Nuclei, spots: Floats) -> Nuclei:
    """Choose the cells that the detector could not see: clear holes, and nuclei beside a brown spot."""
    chosen = found.positive.copy()
    if len(spots):
        chosen |= _distances(found.centres, spots) * found.mpp < HIDDEN_UM
    if len(kept):
        chosen &= _distances(found.centres, kept.centres) * found.mpp > SAME_CELL_UM
    return _rows(replace(found, positive=np.zeros(len(found), np.bool_)), chosen)


def _distances(points: Floats, others: Floats) -> npt.NDArray[np.float64]:
    """Return how far each of (N, 2) points is from the nearest of the others, (N,) in pixels."""
    return np.asarray(cKDTree(others).query(points)[0], np.float64) if len(points) else np.zeros(0)


def _rows(nuclei: Nuclei, chosen: npt.NDArray[np.bool_]) -> Nuclei:
    return replace(
        nuclei,
        centres=nuclei.centres[chosen],
        outlines=nuclei.outlines[chosen],
        area_um2=nuclei.area_um2[chosen],
        dab_od=nuclei.dab_od[chosen],
        hematoxylin_od=nuclei.hematoxylin_od[chosen],
        positive=nuclei.positive[chosen],
        confidence=nuclei.confidence[chosen],
        membranes=None,
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
