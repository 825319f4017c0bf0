"""Findings that a measured stain should not be read without: other stains, no light background, pigment, overstaining.

Pure functions, conservative: none fires on the shared IHC images at their true scale. How an analysis uses them:

    vectors = estimate_vectors(image, white)
    reason = unsuitable(image, white) or he_given_as_ihc(call, vectors)
    if reason: ...                       # refuse: nothing is measured, the reason is shown
    notices = stain_findings(image, white, vectors)                         # saturated, does not fit two stains
    nuclei = find_nuclei(image, white, mpp, stains=vectors.pair)
    notices += nuclei_findings(image, white, nuclei, nuclear=marker is Marker.PR)   # none, only pigment, wrong scale

`he_given_as_ihc` is meant for a stain that the user chose; what the recognition says by itself needs no refusal.
"""

import cv2
import numpy as np

from core.images import resize_to
from core.labels import Stain
from core.quantify.nuclei import MIN_NUCLEI
from core.quantify.pixel_size import WORKING_MPP, scale_finding, scaled_size
from core.stains.separation import DAB, White, optical_density, separate, white_point
from core.stains.vectors import MAX_TURN_DAB, SAMPLED_SIDE_PX, StainVectors, angle, estimate_vectors
from core.types import DensityMap, Mask, Notice, Nuclei, RGBImage, StainCall

DARK_LEVEL, DARK_SHARE = 50, 0.25
"""Brightest channel below which a pixel is black, and share of black pixels in a dark field (shared IHC: 0.10)."""

STAINED_OD, MIN_STAINED = 0.15, 0.02
"""Density of a channel from which a pixel is stained, and share of such pixels needed to judge colours."""

MIN_CHROMA = 0.05
"""Range of the channels' densities over the largest, 95th percentile: gray images reach 0.02, shared IHC from 0.3."""

SURE_HE = 0.75
"""Probability of the stain recognition from which an image chosen as IHC may be refused as H&E."""

SATURATED_OD = 0.5
"""Tenth percentile of DAB over stained pixels in an overstained section (shared IHC: 0.14)."""

UNEXPLAINED = 0.2
"""Share of optical density that two stains leave unexplained in other pictures (shared IHC: 0.17)."""

BROWN_OD, MIN_BROWN = 0.3, 0.03
"""Density of clearly brown pixels, and share of them in the stained tissue from which pigment is considered."""

GRAIN_UM, MAX_LASTING = 1.0, 0.15
"""Brown that an opening of this radius takes away is thin; stained nuclei last (shared fields: 0.32 and more)."""

LINE_UM, MAX_IN_LINES = 6.0, 0.3
"""Thin brown is a membrane where it is connected over this length (0.6 of it and more), else grains (0.2 and less)."""

MAX_IN_NUCLEI = 0.3
"""Share of brown in stained nuclei (shared fields: 0.64 and more; simulated pigment: 0.14)."""


def unsuitable(image: RGBImage, white: White | None = None) -> str:
    """Say why an image cannot be measured as a brightfield stain: fluorescence or gray; empty if it can.

    Args:
        image: (H, W, 3) uint8 RGB.
        white: (3,) RGB of the glass; estimated from the image by default.
    """
    sample = _sampled(image)
    dark = float(np.mean(sample.max(axis=2) < DARK_LEVEL))
    if dark > DARK_SHARE:
        return (
            f"This looks like fluorescence: {dark:.0%} of the image is black, and a stained section lies on bright "
            "glass. Brown and blue cannot be measured here; upload a brightfield image of the IHC."
        )
    density = optical_density(sample, white_point(image) if white is None else white)
    highest = density.max(axis=2)
    stained = highest > STAINED_OD
    if stained.mean() < MIN_STAINED:
        return ""
    chroma = float(np.percentile((highest - density.min(axis=2))[stained] / highest[stained], 95))
    if chroma < MIN_CHROMA:
        return (
            "This image is gray: its three colour channels are the same, so brown and blue cannot be told apart. "
            "Upload the image in colour."
        )
    return ""


def he_given_as_ihc(call: StainCall, vectors: StainVectors) -> str:
    """Say why an image that was chosen as IHC is H&E; empty if it may be IHC.

    Args:
        call: the stain recognition's answer also where the user overruled it.
        vectors: of the image.
    """
    share = call.probabilities.get(Stain.HE.value, 0.0)
    brown = vectors.extremes is not None and angle(vectors.extremes[1], DAB) <= MAX_TURN_DAB
    if share < SURE_HE or brown:
        return ""
    return (
        f"This is H&E, not IHC ({share:.0%} sure): its second colour is pink eosin, not brown DAB, so there is nothing "
        "to measure. Choose H&E to get a virtual stain, or upload the IHC."
    )


def stain_findings(
    image: RGBImage, white: White | None = None, vectors: StainVectors | None = None
) -> tuple[Notice, ...]:
    """Remarks on the stain itself: brown everywhere, or colours that are not hematoxylin and DAB.

    Args:
        vectors: of the image; estimated by default.
    """
    white = white_point(image) if white is None else white
    found = (_saturated(image, white), _unexplained(vectors or estimate_vectors(image, white)))
    return tuple(notice for notice in found if notice)


def nuclei_findings(image: RGBImage, white: White, nuclei: Nuclei, *, nuclear: bool) -> tuple[Notice, ...]:
    """Remarks on the nuclei found: none, brown that is pigment, a pixel size that cannot be right.

    Args:
        nuclear: the marker stains nuclei.
    """
    scale = scale_finding(image, white, nuclei.mpp) if nuclear and not nuclei.mpp_estimated else None
    found = (_too_few(nuclei), _pigment(image, white, nuclei, nuclear), scale)
    return tuple(notice for notice in found if notice)


def _saturated(image: RGBImage, white: White) -> Notice | None:
    sample = _sampled(image)
    stained = optical_density(sample, white).max(axis=2) > STAINED_OD
    if stained.mean() < MIN_STAINED:
        return None
    least = float(np.percentile(separate(sample, white).dab[stained], 10))
    if least < SATURATED_OD:
        return None
    return Notice(
        "overstained",
        "warning",
        f"DAB everywhere: nine tenths of the stained tissue have an optical density above {least:.2f}, usual is below "
        "0.2. Positive and negative cannot be told apart; check the controls and stain again with less DAB.",
    )


def _unexplained(vectors: StainVectors) -> Notice | None:
    if vectors.residual < UNEXPLAINED:
        return None
    return Notice(
        "other-stains",
        "warning",
        f"The colours do not fit hematoxylin and DAB: {vectors.residual:.0%} of the stain is neither, usual is below "
        f"{UNEXPLAINED:.0%}. Measured densities may be wrong; check the stain and the white balance.",
    )


def _too_few(nuclei: Nuclei) -> Notice | None:
    if len(nuclei) >= MIN_NUCLEI:
        return None
    many = {0: "No nuclei were", 1: "Only one nucleus was"}.get(len(nuclei), f"Only {len(nuclei)} nuclei were")
    return Notice(
        "few-nuclei",
        "warning",
        f"{many} found; a percentage needs at least {MIN_NUCLEI}. Choose a field with tumour cells, and check the "
        "magnification.",
    )


def _pigment(image: RGBImage, white: White, nuclei: Nuclei, nuclear: bool) -> Notice | None:
    """Warn where the brown is grains: neither nuclei nor membranes."""
    factor = min(1.0, nuclei.mpp / WORKING_MPP)
    stains = separate(resize_to(image, scaled_size(image, factor)), white)
    brown = (stains.dab > BROWN_OD) & (stains.dab > 2 * stains.hematoxylin)
    tissue = float(np.mean(stains.dab + stains.hematoxylin > STAINED_OD))
    if brown.mean() < MIN_BROWN * max(tissue, 0.05):
        return None
    if _lasting(brown, nuclei.mpp / factor) > MAX_LASTING or _in_lines(brown, nuclei.mpp / factor) > MAX_IN_LINES:
        return None
    if nuclear and _share_in_nuclei(stains.dab * brown, nuclei, factor) > MAX_IN_NUCLEI:
        return None
    return Notice(
        "pigment",
        "warning",
        "The brown looks like pigment, not DAB: small grains outside the "
        f"{'nuclei' if nuclear else 'membranes'}, as melanin or haemosiderin have. Cells with it may be counted as "
        "stained; compare with the H&E or a bleached section before you rely on the figures.",
    )


def _lasting(brown: Mask, mpp: float) -> float:
    """Return which share of brown survives an opening by the size of a grain."""
    side = 2 * max(1, round(GRAIN_UM / mpp)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return float(cv2.morphologyEx(brown.astype(np.uint8), cv2.MORPH_OPEN, disc).sum() / max(brown.sum(), 1))


def _in_lines(brown: Mask, mpp: float) -> float:
    """Return which share of brown hangs together over the length of a membrane."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(brown.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    length_um = np.hypot(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]) * mpp
    return float(areas[length_um > LINE_UM].sum() / max(areas.sum(), 1))


def _share_in_nuclei(brown: DensityMap, nuclei: Nuclei, factor: float) -> float:
    """Return which share of brown lies in stained nuclei."""
    inside = np.zeros(brown.shape, np.uint8)
    corners = np.round((nuclei.outlines[nuclei.positive] + 0.5) * factor - 0.5).astype(np.int32)
    for polygon in corners:
        cv2.fillConvexPoly(inside, polygon, 1)
    return float(brown[inside > 0].sum() / max(brown.sum(), 1e-6))


def _sampled(image: RGBImage) -> RGBImage:
    step = max(1, -(-max(image.shape[:2]) // SAMPLED_SIDE_PX))
    return np.ascontiguousarray(image[::step, ::step])
