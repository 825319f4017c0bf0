"""Counting stained and unstained nuclei of a nuclear DAB stain (PR, ER, Ki-67) without a network."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from core.quantify.scores import Allred, allred, h_score
from core.stains.separation import White, separate, white_point
from core.types import DensityMap, RGBImage

Floats = npt.NDArray[np.float32]

WORKING_MPP = 0.5
"""Micrometres per pixel at which nuclei are sought: 40x at half resolution."""

INTENSITY_STEPS = (0.2, 0.4, 0.6)
"""DAB optical density of a nucleus from which it is weak, moderate and strong (the defaults of QuPath)."""

MIN_NUCLEI = 20
"""With fewer nuclei a percentage says little."""

_SCALE_SIGMAS_PX = tuple(2.6 * 1.27**step for step in range(8))
_PEAK_SIGMA_PX = 7.3
"""Sigma with the strongest answer on the fields the detector was tuned on, at their working resolution."""

_BLOBS_PER_AREA = 0.004
"""Strongest blobs that are compared, per area of one squared sigma."""


_BLOCK_PX, _HALO_PX = 1536, 40
"""Side of the blocks that are worked on at once, and what is seen beyond them, in working pixels."""


@dataclass(frozen=True)
class NucleiParameters:
    """Detector settings, at 0.5 um/px; densities are square roots of optical density.

    Attributes:
        positive_sigma, negative_sigma: of the Laplacian of Gaussian, in pixels.
        positive_response, negative_response: least response of a nucleus.
        positive_density, negative_density: least blurred DAB and hematoxylin at its centre.
        positive_distance, negative_distance: least distance of two centres of one kind, in pixels.
        exclusion: a negative closer than this to a positive is the same nucleus, in pixels.
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


@dataclass(frozen=True)
class NucleiCount:
    """Nuclei of one image.

    Attributes:
        centres: (N, 2) float32, x and y in pixels of the image; the stained nuclei come first.
        intensities: (N,) uint8, 0 unstained, 1 weak, 2 moderate, 3 strong.
        mpp: micrometres per pixel of the image that was worked with.
        mpp_estimated: `mpp` was guessed from the size of the nuclei.
    """

    centres: Floats
    intensities: npt.NDArray[np.uint8]
    mpp: float
    mpp_estimated: bool

    @property
    def positive(self) -> int:
        """Number of stained nuclei."""
        return int(np.count_nonzero(self.intensities))

    @property
    def negative(self) -> int:
        """Number of unstained nuclei."""
        return self.total - self.positive

    @property
    def total(self) -> int:
        """Number of nuclei."""
        return len(self.intensities)

    @property
    def enough(self) -> bool:
        """Whether there are nuclei enough for a percentage."""
        return self.total >= MIN_NUCLEI

    @property
    def percent_positive(self) -> float:
        """Share of stained nuclei, 0-100; 0 without nuclei."""
        return sum(self._percentages())

    @property
    def h_score(self) -> float:
        """H-score, 0-300."""
        weak, moderate, strong = self._percentages()
        return h_score(weak=weak, moderate=moderate, strong=strong)

    @property
    def allred(self) -> Allred:
        """Allred score; the intensity is the rounded mean of the stained nuclei."""
        stained = self.intensities[self.intensities > 0]
        intensity = int(np.floor(stained.mean() + 0.5)) if len(stained) else 0
        return allred(self.percent_positive, intensity)

    def _percentages(self) -> tuple[float, float, float]:
        counts = np.bincount(self.intensities, minlength=4)[1:4]
        weak, moderate, strong = (float(count) for count in 100.0 * counts / max(self.total, 1))
        return weak, moderate, strong


def count_nuclei(
    image: RGBImage,
    white: White | None = None,
    mpp: float | None = None,
    *,
    parameters: NucleiParameters | None = None,
) -> NucleiCount:
    """Find nuclei as blobs of DAB (stained) and of hematoxylin (unstained).

    Laplacian of Gaussian on the square root of each stain's density, at half the resolution of 40x. Every nucleus of
    the field counts: tumour, stroma and lymphocytes are not told apart.

    Args:
        image: (H, W, 3) uint8 RGB.
        white: (3,) background in [0, 255]; None estimates it.
        mpp: micrometres per pixel; None estimates it from the size of the nuclei.
    """
    white = white_point(image) if white is None else white
    used_mpp = estimate_mpp(image, white) if mpp is None else mpp
    settings = parameters or NucleiParameters()
    parts = [_count_block(image, block, white, used_mpp / WORKING_MPP, settings) for block in _blocks(image, used_mpp)]
    centres, intensities = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    order = np.argsort(intensities == 0, kind="stable")
    return NucleiCount(
        centres=centres[order].astype(np.float32),
        intensities=intensities[order].astype(np.uint8),
        mpp=used_mpp,
        mpp_estimated=mpp is None,
    )


def estimate_mpp(image: RGBImage, white: White) -> float:
    """Guess the pixel size from the blob size that answers most strongly, between 0.14 and 0.9 um/px.

    Works on the central 1024 pixels. Nuclei of the tuning fields, taken as 40x, are the yardstick.
    """
    top, left = (max(0, (side - 1024) // 2) for side in image.shape[:2])
    working = _resize(image[top : top + 1024, left : left + 1024], 0.5)
    stains = separate(working, white)
    density = np.sqrt(stains.hematoxylin) + np.sqrt(stains.dab)
    strengths = []
    for sigma in _SCALE_SIGMAS_PX:
        response = _blob_response(density, sigma)
        peaks = np.sort(_at(response, _peaks(response, 0.01, max(2, round(sigma)))))
        compared = max(8, int(_BLOBS_PER_AREA * density.size / sigma**2))
        strengths.append(float(peaks[-compared:].sum()) / compared)
    best = _vertex(strengths)
    sigma = _SCALE_SIGMAS_PX[0] * (_SCALE_SIGMAS_PX[1] / _SCALE_SIGMAS_PX[0]) ** best
    return float(np.clip(WORKING_MPP * 0.5 * _PEAK_SIGMA_PX / sigma, 0.14, 0.9))


def _blocks(image: RGBImage, mpp: float) -> list[tuple[int, int, int, int]]:
    """Cut the image into blocks that stay small at the working scale: left, top, right, bottom."""
    height, width = image.shape[:2]
    side = max(64, round(_BLOCK_PX * WORKING_MPP / mpp))
    return [
        (left, top, min(width, left + side), min(height, top + side))
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]


def _count_block(
    image: RGBImage, block: tuple[int, int, int, int], white: White, factor: float, settings: NucleiParameters
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Find the nuclei centred in one block, looking a little beyond it: centres in the image, and intensities."""
    left, top, right, bottom = block
    halo = int(np.ceil(_HALO_PX / factor))
    x, y = max(0, left - halo), max(0, top - halo)
    window = image[y : bottom + halo, x : right + halo]
    working = _resize(window, factor)
    stains = separate(working, white)
    stained, unstained = _find(stains.hematoxylin, stains.dab, settings)
    density = _at(cv2.GaussianBlur(stains.dab, (0, 0), 3.0), stained)
    intensities = np.concatenate([np.clip(np.digitize(density, INTENSITY_STEPS), 1, 3), np.zeros(len(unstained), int)])
    # Pixel centres: working pixel i covers the window from i / factor to (i + 1) / factor.
    scale = np.array([window.shape[1] / working.shape[1], window.shape[0] / working.shape[0]])
    centres = (np.concatenate([stained, unstained]) + 0.5) * scale - 0.5 + np.array([x, y])
    inside = ((centres + 0.5 >= (left, top)) & (centres + 0.5 < (right, bottom))).all(axis=1)
    return centres[inside].astype(np.float32), intensities[inside]


def _find(hematoxylin: DensityMap, dab: DensityMap, settings: NucleiParameters) -> tuple[Floats, Floats]:
    """Return the centres of stained and of unstained nuclei, (N, 2) x and y in working pixels."""
    root_dab, root_hematoxylin = np.sqrt(dab), np.sqrt(hematoxylin)
    response = _blob_response(root_dab, settings.positive_sigma)
    stained = _peaks(response, settings.positive_response, settings.positive_distance)
    stained = stained[_at(cv2.GaussianBlur(root_dab, (0, 0), 2.0), stained) > settings.positive_density]
    response = _blob_response(root_hematoxylin, settings.negative_sigma)
    unstained = _peaks(response, settings.negative_response, settings.negative_distance)
    unstained = unstained[_at(cv2.GaussianBlur(root_hematoxylin, (0, 0), 2.0), unstained) > settings.negative_density]
    if len(stained) and len(unstained):
        distance, _ = cKDTree(stained).query(unstained)
        unstained = unstained[distance > settings.exclusion]
    return stained, unstained


def _blob_response(density: DensityMap, sigma: float) -> DensityMap:
    blurred = cv2.GaussianBlur(density, (0, 0), sigma)
    return np.asarray(-(sigma**2) * cv2.Laplacian(blurred, cv2.CV_32F), dtype=np.float32)


def _peaks(response: DensityMap, least: float, distance: int) -> Floats:
    """Return local maxima above `least`, (N, 2) x and y."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * distance + 1, 2 * distance + 1))
    y, x = np.nonzero((response > least) & (response == cv2.dilate(response, kernel)))
    return np.stack([x, y], axis=1).astype(np.float32)


def _at(values: DensityMap, points: Floats) -> Floats:
    x, y = points.astype(np.intp).T
    return np.asarray(values[y, x], dtype=np.float32)


def _vertex(values: list[float]) -> float:
    """Return the position of the maximum, refined by the parabola through its neighbours."""
    middle = int(np.clip(np.argmax(values), 1, len(values) - 2))
    left, centre, right = values[middle - 1 : middle + 2]
    bend = left - 2 * centre + right
    return middle + (float(np.clip(0.5 * (left - right) / bend, -1.0, 1.0)) if bend < 0 else 0.0)


def _resize(image: RGBImage, factor: float) -> RGBImage:
    size = (max(8, round(image.shape[1] * factor)), max(8, round(image.shape[0] * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=way), dtype=np.uint8)
