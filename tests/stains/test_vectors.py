"""The hematoxylin of an image is found where both stains are there, and nowhere else."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.images import decode
from core.phantoms.phantom import he_phantom, nuclear_phantom
from core.phantoms.staining import EOSIN, Camera
from core.phantoms.unsuitable import saturated_phantom
from core.stains.separation import DAB, H_DAB, HEMATOXYLIN, white_point
from core.stains.vectors import angle, estimate_vectors, residual_share, stained_densities

PURPLE = (0.56, 0.79, 0.25)  # hematoxylin as another laboratory stains it, 8 degrees off


@pytest.mark.parametrize("white", [(238.0, 238.0, 240.0), (178.0, 176.0, 170.0)])
def test_finds_the_hematoxylin_of_another_laboratory(white: tuple[float, float, float]) -> None:
    camera = Camera(white=white, vectors=(PURPLE, EOSIN, DAB))
    found = estimate_vectors(nuclear_phantom(3, percent_positive=50, size_px=512, camera=camera).image)
    assert found.estimated
    assert angle(found.hematoxylin, PURPLE) < 3 < 6 < angle(HEMATOXYLIN, PURPLE)
    assert angle(found.dab, DAB) < 0.1


def test_own_vectors_explain_more_than_the_usual_ones() -> None:
    camera = Camera(vectors=(PURPLE, EOSIN, DAB))
    image = nuclear_phantom(3, percent_positive=50, size_px=512, camera=camera).image
    found = estimate_vectors(image)
    density = stained_densities(image, white_point(image))
    assert found.residual == residual_share(density, found.pair) < residual_share(density, H_DAB)


def test_one_stain_alone_is_not_trusted() -> None:
    blue = nuclear_phantom(3, percent_positive=0, size_px=512).image
    brown = saturated_phantom(3, size_px=512)
    for image, missing in ((blue, "DAB"), (brown, "hematoxylin")):
        found = estimate_vectors(image)
        assert (found.hematoxylin, found.dab, found.estimated) == (HEMATOXYLIN, DAB, False)
        assert f"hardly any pure {missing}" in found.reason


def test_other_stains_are_not_trusted_and_leave_more_unexplained() -> None:
    he = estimate_vectors(he_phantom(3, size_px=512).image)
    ihc = estimate_vectors(nuclear_phantom(3, percent_positive=50, size_px=512).image)
    assert not he.estimated
    assert he.residual > 0.15 > 0.05 > ihc.residual


@pytest.mark.parametrize("image", [np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 240, np.uint8)])
def test_without_stained_tissue_the_usual_vectors_are_taken(image: np.ndarray) -> None:
    found = estimate_vectors(image)
    assert (found.pair, found.estimated, found.residual) == (H_DAB, False, 0.0)


def test_residual_of_pure_stains_is_nothing_and_of_another_colour_all() -> None:
    mixed = np.array([HEMATOXYLIN, DAB, np.add(HEMATOXYLIN, DAB)])
    assert residual_share(mixed, H_DAB) == pytest.approx(0, abs=1e-6)
    assert residual_share(np.cross(HEMATOXYLIN, DAB)[None], H_DAB) == pytest.approx(1, abs=0.1)


def test_a_whole_core_is_sampled_quickly(shared_data: Path) -> None:
    data = (shared_data / "her2_cores/3+/a1f1510c.jpg").read_bytes()
    core = decode(data, "core.jpg", max_bytes=10**9, max_pixels=10**9).image
    started = cv2.getTickCount()
    found = estimate_vectors(core, np.array([233.0, 232.0, 240.0]))
    assert (cv2.getTickCount() - started) / cv2.getTickFrequency() < 3.0  # 0.1 s alone; the room is for busy machines
    assert found.estimated and angle(found.hematoxylin, HEMATOXYLIN) < 10


@pytest.mark.parametrize("path", ["0/9b0f64d1", "0/ccb66c10"])
def test_unstained_cores_keep_the_usual_vectors(shared_data: Path, path: str) -> None:
    data = (shared_data / "her2_cores" / f"{path}.jpg").read_bytes()
    assert not estimate_vectors(decode(data, "core.jpg", max_bytes=10**9, max_pixels=10**9).image).estimated
