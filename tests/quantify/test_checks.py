"""Findings that a measured stain should not be read without, and the real images that give none."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.labels import Her2Score, Stain
from core.phantoms.phantom import he_phantom, her2_phantom, nuclear_phantom
from core.phantoms.unsuitable import (
    acellular_phantom,
    fluorescence_phantom,
    gray_phantom,
    pigment_phantom,
    saturated_phantom,
)
from core.quantify.checks import he_given_as_ihc, nuclei_findings, stain_findings, unsuitable
from core.quantify.nuclei import find_nuclei
from core.stains.separation import white_point
from core.stains.vectors import estimate_vectors
from core.types import RGBImage, StainCall

SURE_HE = StainCall(Stain.HE, {"he": 0.95, "ihc": 0.04, "neither": 0.01}, unsure=False, overruled=False)


def codes(image: RGBImage, mpp: float | None, *, nuclear: bool = True) -> list[str]:
    """All findings of an image by their short names."""
    white = white_point(image)
    nuclei = find_nuclei(image, white, mpp)
    found = stain_findings(image, white) + nuclei_findings(image, white, nuclei, nuclear=nuclear)
    return [notice.code for notice in found]


def test_fluorescence_and_gray_images_are_refused_with_the_reason() -> None:
    assert "looks like fluorescence" in unsuitable(fluorescence_phantom(3, size_px=384))
    assert "is gray" in unsuitable(gray_phantom(3, size_px=384))
    assert unsuitable(nuclear_phantom(3, percent_positive=30, size_px=384).image) == ""


def test_he_chosen_as_ihc_is_refused_with_the_reason() -> None:
    he, ihc = he_phantom(3, size_px=512).image, nuclear_phantom(3, percent_positive=40, size_px=512).image
    assert "pink eosin, not brown DAB" in he_given_as_ihc(SURE_HE, estimate_vectors(he))
    assert he_given_as_ihc(SURE_HE, estimate_vectors(ihc)) == ""  # brown is there, whatever the recognition says
    doubtful = replace(SURE_HE, probabilities={"he": 0.6, "ihc": 0.4, "neither": 0.0})
    assert he_given_as_ihc(doubtful, estimate_vectors(he)) == ""


def test_tissue_without_nuclei_is_said() -> None:
    assert codes(acellular_phantom(3, size_px=384), 0.25) == ["few-nuclei"]
    assert codes(np.full((300, 300, 3), 240, np.uint8), 0.25) == ["few-nuclei"]


@pytest.mark.parametrize("nuclear", [True, False])
@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_pigment_is_told_from_dab(mpp: float, nuclear: bool) -> None:
    image = pigment_phantom(5, size_px=round(192 / mpp), mpp=mpp)
    assert "pigment" in codes(image, mpp, nuclear=nuclear)


def test_dab_everywhere_is_said() -> None:
    assert "overstained" in codes(saturated_phantom(3, size_px=512), 0.25)


def test_colours_that_are_not_hematoxylin_and_dab_are_said() -> None:
    assert "other-stains" in [notice.code for notice in stain_findings(he_phantom(3, size_px=512).image)]


@pytest.mark.parametrize("percent", [0, 10, 100])
def test_simulated_nuclear_stains_give_no_finding(percent: int) -> None:
    phantom = nuclear_phantom(6, percent_positive=percent, size_px=768)
    assert codes(phantom.image, phantom.mpp) == []


@pytest.mark.parametrize("score", list(Her2Score))
def test_simulated_membranes_are_no_pigment(score: Her2Score) -> None:
    assert codes(her2_phantom(6, score=score, size_px=768).image, 0.25, nuclear=False) == []


@pytest.mark.parametrize(
    ("path", "mpp", "nuclear"),
    [
        ("ki67_points/bcdata/14.png", 0.25, True),
        ("ki67_points/bcdata/2.png", 0.25, True),
        ("ki67_points/shidc/p1_0313_1.jpg", 0.167, True),
        ("ki67_points/shidc/p1_0317_1.jpg", 0.167, True),
        ("ki67_masks/Lung1/ihc.png", 0.5, True),
        ("bci/IHC/00003_test_3+.png", 0.46, False),
        ("bci/IHC/00006_test_3+.png", 0.46, False),
        ("mist/IHC/15M2102762_15_26.jpg", 0.25, False),
        ("mist/IHC/15M2102762_21_24.jpg", 0.25, False),
        ("mist/IHC/28M2101987_31_31.jpg", 0.25, False),
    ],
)
def test_real_ihc_gives_no_finding(shared_data: Path, path: str, mpp: float, nuclear: bool) -> None:
    image = cv2.imread(str(shared_data / path), cv2.IMREAD_COLOR_RGB)
    assert unsuitable(image) == ""
    assert codes(image, mpp, nuclear=nuclear) == []
