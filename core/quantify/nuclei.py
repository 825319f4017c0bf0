"""Every nucleus of an IHC image, with outline and stain: the basis of all nuclear scores."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from core.images import resize_to
from core.labels import NucleiMethod, OperatingPoint
from core.quantify import nuclei_classical
from core.quantify.nuclei_classical import NucleiParameters
from core.quantify.nuclei_learned import Limits, find_seeds
from core.quantify.outlines import means, outline
from core.quantify.pixel_size import WORKING_MPP, estimate_mpp, scaled_size
from core.quantify.seeds import Detect, Seeds
from core.stains.separation import StainPair, White, separate, white_point
from core.stains.vectors import estimate_vectors
from core.stains.white import balance_white
from core.types import Nuclei, Progress, RGBImage, no_progress

Floats = npt.NDArray[np.float32]

MIN_NUCLEI = 20
"""With fewer nuclei a percentage says little."""

BLOCK_PX, HALO_PX = 1280, 64
"""Side of the blocks that are worked on at once, and what is seen beyond them, in working pixels."""


@dataclass(frozen=True)
class Found:
    """Nuclei of one block, in working pixels of the whole image; fields as in `Nuclei`."""

    centres: Floats
    polygons: Floats
    area: Floats
    dab_od: Floats
    hematoxylin_od: Floats
    positive: npt.NDArray[np.bool_]
    confidence: Floats


def find_nuclei(
    image: RGBImage,
    white: White | None = None,
    mpp: float | None = None,
    *,
    detect: Detect | None = None,
    operating_point: OperatingPoint = OperatingPoint.BEST_F1,
    limits: Mapping[OperatingPoint, Limits] | None = None,
    parameters: NucleiParameters | None = None,
    stains: StainPair | None = None,
    progress: Progress = no_progress,
) -> Nuclei:
    """Find every nucleus, stained or not, and measure it.

    Tumour, stroma and lymphocytes are not told apart by the classical method.

    Args:
        image: (H, W, 3) uint8 RGB, any size.
        white: (3,) background in [0, 255]; None estimates it.
        mpp: micrometres per pixel; None estimates it from the size of the nuclei.
        detect: the learned detector (`Engine.detect_nuclei`); None takes the classical method.
        operating_point: of the learned detector.
        limits: of each operating point, as they came with the detector's weights; None takes the bundled ones.
        parameters: of the classical method.
        stains: hematoxylin and DAB of this image; None estimates them.
        progress: called with every block; may raise CancelledError.
    """
    white = white_point(image) if white is None else white
    used_mpp = estimate_mpp(image, white) if mpp is None else mpp
    pair = estimate_vectors(image, white).pair if stains is None else stains
    working = resize_to(image, scaled_size(image, used_mpp / WORKING_MPP))
    blocks = list(_blocks(working.shape))
    seek = partial(find_seeds, detect=detect, operating_point=operating_point, limits=limits) if detect else None
    parts = []
    for number, block in enumerate(blocks):
        progress("finding nuclei", number, len(blocks))
        parts.append(_find_in_block(working, block, white, pair, seek, parameters))
    found = _joined(parts)
    # Pixel centres: working pixel i covers the image from i / factor to (i + 1) / factor.
    scale = np.array([image.shape[1] / working.shape[1], image.shape[0] / working.shape[0]], np.float32)
    return Nuclei(
        centres=(found.centres + np.float32(0.5)) * scale - np.float32(0.5),
        outlines=(found.polygons + np.float32(0.5)) * scale - np.float32(0.5),
        area_um2=found.area * np.float32(scale.prod() * used_mpp**2),
        dab_od=found.dab_od,
        hematoxylin_od=found.hematoxylin_od,
        positive=found.positive,
        confidence=found.confidence,
        mpp=used_mpp,
        mpp_estimated=mpp is None,
        method=NucleiMethod.CLASSICAL if detect is None else NucleiMethod.LEARNED,
    )


def chosen_nuclei(nuclei: Nuclei, rows: npt.NDArray[np.bool_]) -> Nuclei:
    """Return the nuclei of the (N,) chosen rows, without membranes."""
    return replace(
        nuclei,
        centres=nuclei.centres[rows],
        outlines=nuclei.outlines[rows],
        area_um2=nuclei.area_um2[rows],
        dab_od=nuclei.dab_od[rows],
        hematoxylin_od=nuclei.hematoxylin_od[rows],
        positive=nuclei.positive[rows],
        confidence=nuclei.confidence[rows],
        membranes=None,
    )


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, int, int, int]]:
    """Cut into blocks: left, top, right, bottom."""
    for top in range(0, shape[0], BLOCK_PX):
        for left in range(0, shape[1], BLOCK_PX):
            yield left, top, min(shape[1], left + BLOCK_PX), min(shape[0], top + BLOCK_PX)


def _find_in_block(
    working: RGBImage,
    block: tuple[int, int, int, int],
    white: White,
    pair: StainPair,
    seek: Callable[[RGBImage], Seeds] | None,
    parameters: NucleiParameters | None,
) -> Found:
    """Find the nuclei centred in one block, looking a little beyond it."""
    left, top, right, bottom = block
    x, y = max(0, left - HALO_PX), max(0, top - HALO_PX)
    window = working[y : bottom + HALO_PX, x : right + HALO_PX]
    stains = separate(window, white, stains=pair)
    if seek is None:
        seeds = nuclei_classical.find_seeds(stains.hematoxylin, stains.dab, parameters)
    else:
        seeds = seek(balance_white(window, white))
    outlined = outline(seeds.centres, stains.hematoxylin + stains.dab, seeds.inside)
    shift = np.array([x, y], np.float32)
    own = ((seeds.centres + shift >= (left, top)) & (seeds.centres + shift < (right, bottom))).all(axis=1)
    centres, polygons, positive = seeds.centres[own], outlined.polygons[own], seeds.positive[own]
    dab_od = means(stains.dab, centres, polygons)
    if seek is None:
        positive = positive | nuclei_classical.stands_out(stains.dab, centres, polygons, dab_od, parameters)
    return Found(
        centres=centres + shift,
        polygons=polygons + shift,
        area=outlined.area[own],
        dab_od=dab_od,
        hematoxylin_od=means(stains.hematoxylin, centres, polygons),
        positive=positive,
        confidence=seeds.confidence[own],
    )


def _joined(parts: list[Found]) -> Found:
    return Found(*(np.concatenate([getattr(part, name) for part in parts]) for name in Found.__dataclass_fields__))
