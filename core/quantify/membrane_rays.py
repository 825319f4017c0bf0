"""Membrane stain along rays around every nucleus: where the membrane is, how dense and how wide.

A membrane is a ridge of DAB: darker than the cytoplasm on either side of it. Brown cytoplasm and brown nuclei have no
ridge and measure nothing here, however dark they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from core.images import resize_to
from core.stains.separation import DAB, White, optical_density, separate
from core.types import DensityMap, Nuclei, RGBImage

Floats = npt.NDArray[np.float32]

WORK_MPP = 0.5
"""Micrometres per pixel that is measured at, so that 20x and 40x scans measure alike."""

RAYS = 32
STEP_UM, REACH_UM, BEYOND_UM = 0.5, 12.0, 2.0
"""Samples along a ray, its longest way to a membrane, and what is sampled beyond for the width."""

LEAST_WAY_UM, INSIDE_SHARE = 1.5, 0.6
"""The search begins at this distance and at this share of the nucleus' radius: outlines under DAB are too large."""

TOLERANCE_UM = 1.5
"""A membrane may lie this far beyond the middle between two nuclei."""

NEIGHBOURS = 8

RIDGE_SIGMAS_UM = (0.6, 1.0)
"""Scales of ridges: membranes with their optical blur are 1 to 2.5 um wide."""

RIDGE_SHARE, HAZE_OD, LEAST_RIDGE = 0.205, 0.03, 0.012
"""Least curvature of a membrane as a share of its density (an isolated line of the filter's width has 0.35, a plateau
of brown cytoplasm 0.1) beyond the haze that an uncertain white point leaves everywhere, and at all (camera noise).

Set together with `CHROMATIN_SHARE` on simulated sections under three cameras with all cells known: 0.90 of the weak to
moderate membranes are found as such and 0.63 of the faint ones (0.1 to 0.2), and 0.06 of the cells with brown cytoplasm
of density 0.35 and no membrane are called faint. With less, more faint ones are found and too much cytoplasm is called;
with more, real membranes of a 3+ core, less regular than simulated ones, are lost.
"""

CHROMATIN_SHARE = 0.4
"""Hematoxylin that is added to DAB: cytoplasm seen between two nuclei is a ridge of DAB, but not of both together."""

SMOOTH_UM = 0.25
BLOCK_PX, HALO_PX = 1024, 36
"""Blocks that are worked on at once, and what is seen beyond them, in working pixels."""


@dataclass(frozen=True)
class Rays:
    """The membrane in every direction of N nuclei.

    Attributes:
        od: (N, R) float32, DAB optical density at the membrane; 0 where there is no ridge.
        width_um: (N, R) float32, full width at half maximum; only meaningful where `od` is above 0.
    """

    od: Floats
    width_um: Floats


@dataclass(frozen=True)
class _Maps:
    """Density of DAB and the height of its ridges, (H, W) float32 at working scale."""

    dab: DensityMap
    ridge: DensityMap


def cast_rays(image: RGBImage, nuclei: Nuclei, white: White) -> Rays:
    """Look for the membrane around every nucleus.

    Args:
        image: (H, W, 3) uint8 RGB, the one that the nuclei were found on.
        white: (3,) RGB of the glass.
    """
    count = len(nuclei)
    rays = Rays(np.zeros((count, RAYS), np.float32), np.zeros((count, RAYS), np.float32))
    factor = min(1.0, nuclei.mpp / WORK_MPP)
    height, width = image.shape[:2]
    working = resize_to(image, (max(1, round(width * factor)), max(1, round(height * factor))))
    scale = np.array([working.shape[1] / width, working.shape[0] / height])
    centres = (nuclei.centres + 0.5) * scale - 0.5
    mpp = nuclei.mpp / float(scale[0])
    ways = _ways(nuclei)
    starts = np.minimum(np.maximum(LEAST_WAY_UM, INSIDE_SHARE * _radii(nuclei))[:, None], ways - STEP_UM)
    for rows, (left, top, right, bottom) in _blocks(centres, working.shape):
        x, y = max(0, left - HALO_PX), max(0, top - HALO_PX)
        maps = _maps(working[y : bottom + HALO_PX, x : right + HALO_PX], white, mpp)
        rays.od[rows], rays.width_um[rows] = _look(maps, centres[rows] - (x, y), starts[rows], ways[rows], mpp)
    return rays


def _directions() -> npt.NDArray[np.float64]:
    angles = np.arange(RAYS) * (2 * np.pi / RAYS)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _radii(nuclei: Nuclei) -> npt.NDArray[np.float64]:
    return np.sqrt(nuclei.area_um2.astype(np.float64) / np.pi)


def _ways(nuclei: Nuclei) -> npt.NDArray[np.float64]:
    """Return how far the cell reaches in every direction, (N, R) in um: to its border with the neighbouring cells.

    The border lies where the power distances to both nuclei are equal: in the middle, nearer to the smaller one.
    """
    ways = np.full((len(nuclei), RAYS), REACH_UM)
    neighbours = min(NEIGHBOURS, len(nuclei) - 1)
    if neighbours < 1:
        return ways
    places, radii, directions = nuclei.centres.astype(np.float64) * nuclei.mpp, _radii(nuclei), _directions()
    distances, others = cKDTree(places).query(places, k=neighbours + 1)
    for column in range(1, neighbours + 1):
        other, distance = others[:, column], distances[:, column]
        along = (places[other] - places) @ directions.T
        middle = 0.5 * (distance**2 + radii**2 - radii[other] ** 2)[:, None] / np.maximum(along, 1e-6)
        near = (along > 0) & (distance < 2 * REACH_UM)[:, None]
        ways = np.where(near, np.minimum(ways, middle), ways)
    return np.asarray(np.clip(ways, LEAST_WAY_UM + STEP_UM, REACH_UM), np.float64)


def _blocks(
    centres: npt.NDArray[np.float64], shape: tuple[int, ...]
) -> Iterator[tuple[npt.NDArray[np.intp], tuple[int, int, int, int]]]:
    """Cut into blocks that hold nuclei: their rows, and left, top, right, bottom in working pixels."""
    places = np.clip(np.floor(centres / BLOCK_PX), 0, None).astype(np.intp)
    for column, row in np.unique(places, axis=0):
        left, top = int(column) * BLOCK_PX, int(row) * BLOCK_PX
        rows = np.flatnonzero((places == (column, row)).all(axis=1))
        yield rows, (left, top, min(left + BLOCK_PX, shape[1]), min(top + BLOCK_PX, shape[0]))


def _maps(window: RGBImage, white: White, mpp: float) -> _Maps:
    """Find ridges of DAB: in the separated stain, in its colour (gray lines are dirt) and not between nuclei only."""
    stains = separate(window, white)
    density = optical_density(window, white)
    brown = (density[..., 2] - density[..., 0]) * np.float32(1.0 / (DAB[2] - DAB[0]))
    ridge = _ridges(stains.dab, mpp)
    for other in (brown, stains.dab + np.float32(CHROMATIN_SHARE) * stains.hematoxylin):
        ridge = np.minimum(ridge, _ridges(other, mpp))
    return _Maps(np.asarray(cv2.GaussianBlur(stains.dab, (0, 0), SMOOTH_UM / mpp), np.float32), ridge)


def _ridges(density: DensityMap, mpp: float) -> DensityMap:
    """Return the curvature across the strongest ridge at each pixel, (H, W) >= 0 in units of density.

    The smallest eigenvalue of the Hessian, scale-normalised (Lindeberg 1998, Int J Comput Vis 30:117).
    """
    best: DensityMap = np.zeros_like(density)
    for sigma_um in RIDGE_SIGMAS_UM:
        sigma = max(sigma_um / mpp, 0.5)
        smooth = cv2.GaussianBlur(density, (0, 0), sigma)
        xx, yy, xy = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=0.25) for order in ((2, 0), (0, 2), (1, 1)))
        across = cv2.magnitude(0.5 * (xx - yy), xy) - 0.5 * (xx + yy)
        best = np.maximum(best, np.float32(sigma**2) * across)
    return best


def _look(
    maps: _Maps,
    centres: npt.NDArray[np.float64],
    starts: npt.NDArray[np.float64],
    ways: npt.NDArray[np.float64],
    mpp: float,
) -> tuple[Floats, Floats]:
    """Find the membrane on every ray: its density (0 without one) and its width in um, (N, R) each."""
    distances = np.arange(0.0, REACH_UM + BEYOND_UM, STEP_UM)  # (S,)
    places = centres[:, None, None] + _directions()[:, None] * (distances / mpp)[:, None]  # (N, R, S, 2)
    dab, ridge = (_sample(values, places) for values in (maps.dab, maps.ridge))
    searched = (distances >= starts[..., None]) & (distances <= ways[..., None] + TOLERANCE_UM)
    at = np.where(searched, ridge, -1.0).argmax(axis=2)
    last = len(distances) - 1
    height = np.maximum.reduce([_take(dab, np.clip(at + step, 0, last)) for step in (-1, 0, 1)])
    crest = _take(ridge, at)
    found = (crest >= RIDGE_SHARE * np.maximum(height - HAZE_OD, 0)) & (crest >= LEAST_RIDGE)
    return np.where(found, height, 0.0).astype(np.float32), _widths(dab, at, height)


def _widths(dab: Floats, at: npt.NDArray[np.intp], height: Floats) -> Floats:
    """Return the full width at half maximum over the paler side's foot, (N, R) in um."""
    last, steps = dab.shape[2] - 1, round(BEYOND_UM / STEP_UM)
    sides = [[_take(dab, np.clip(at + sign * step, 0, last)) for step in range(1, steps + 1)] for sign in (-1, 1)]
    foot = np.minimum.reduce([*sides[0], *sides[1]])
    half = 0.5 * (height + foot)
    width = np.full(at.shape, STEP_UM, np.float32)
    for side in sides:
        above = np.ones(at.shape, bool)
        for values in side:
            above &= values > half
            width += STEP_UM * above
    return width


def _sample(values: DensityMap, places: npt.NDArray[np.float64]) -> Floats:
    """Interpolate an (H, W) map at (N, R, S, 2) places: (N, R, S)."""
    count, rays, steps = places.shape[:3]
    x, y = (places[..., axis].reshape(count, rays * steps).astype(np.float32) for axis in (0, 1))
    parts = [
        cv2.remap(values, x[row : row + 4096], y[row : row + 4096], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        for row in range(0, count, 4096)
    ]
    return np.concatenate(parts).reshape(count, rays, steps)


def _take(samples: Floats, at: npt.NDArray[np.intp]) -> Floats:
    return np.take_along_axis(samples, at[..., None], axis=2)[..., 0]
