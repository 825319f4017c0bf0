"""Outlines follow nuclei, stay of plausible size, and do not run into each other."""

import cv2
import numpy as np
import pytest

from core.phantoms.phantom import nuclear_phantom
from core.quantify.nuclei import find_nuclei
from core.quantify.outlines import MAX_RADIUS_PX, MIN_RADIUS_PX, means, outline, polygon_area


def disc_density(centres: list[tuple[int, int]], radius: int, *, side: int = 120) -> np.ndarray:
    density = np.zeros((side, side), np.float32)
    for centre in centres:
        cv2.circle(density, centre, radius, 0.6, -1)
    return cv2.GaussianBlur(density, (0, 0), 0.8)


@pytest.mark.parametrize("radius", [5, 8, 11])
def test_a_disc_is_outlined_with_its_own_radius(radius: int) -> None:
    found = outline(np.array([[60, 60]], np.float32), disc_density([(60, 60)], radius), None)
    assert np.sqrt(found.area / np.pi) == pytest.approx(radius, abs=0.9)
    assert np.linalg.norm(found.polygons - (60, 60), axis=2) == pytest.approx(radius, abs=1.2)


def test_a_probability_decides_where_there_is_one() -> None:
    inside = disc_density([(60, 60)], 7) / 0.6
    found = outline(np.array([[60, 60]], np.float32), np.zeros((120, 120), np.float32), inside)
    assert np.sqrt(found.area / np.pi) == pytest.approx(7, abs=0.9)


def test_touching_nuclei_share_the_border_between_them() -> None:
    centres = np.array([[50, 60], [62, 60]], np.float32)
    left, right = outline(centres, disc_density([(50, 60), (62, 60)], 7), None).polygons
    assert left[:, 0].max() < 58 and right[:, 0].min() > 54


def test_an_outline_neither_leaks_nor_vanishes() -> None:
    flat = np.full((120, 120), 0.5, np.float32)
    largest = outline(np.array([[60, 60]], np.float32), flat, np.ones_like(flat))
    smallest = outline(np.array([[60, 60]], np.float32), flat, np.zeros_like(flat))
    assert np.linalg.norm(largest.polygons - (60, 60), axis=2).max() <= MAX_RADIUS_PX + 1e-3
    assert np.linalg.norm(smallest.polygons - (60, 60), axis=2).min() >= MIN_RADIUS_PX - 1e-3


def test_corners_run_clockwise_on_the_screen() -> None:
    corners = outline(np.array([[60, 60]], np.float32), disc_density([(60, 60)], 8), None).polygons[0]
    x, y = corners.T
    assert (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0  # y points down


def test_means_leave_out_the_blurred_rim() -> None:
    density = disc_density([(60, 60)], 9)
    corners = outline(np.array([[60, 60]], np.float32), density, None).polygons
    assert means(density, np.array([[60, 60]], np.float32), corners) == pytest.approx(0.6, abs=0.02)


def test_no_seeds_no_outlines() -> None:
    found = outline(np.zeros((0, 2), np.float32), np.zeros((20, 20), np.float32), None)
    assert found.polygons.shape == (0, 16, 2) and polygon_area(found.polygons).shape == (0,)


@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_area_and_mean_stain_of_simulated_nuclei_are_near_the_truth(mpp: float) -> None:
    phantom = nuclear_phantom(11, percent_positive=60, size_px=round(160 / mpp), mpp=mpp)
    nuclei = find_nuclei(phantom.image, None, mpp)
    x, y = np.clip(np.round(nuclei.centres), 0, phantom.image.shape[0] - 1).astype(int).T
    row = phantom.truth.labels[y, x] - 1
    area = np.bincount(phantom.truth.labels.ravel())[1:] * mpp**2
    stained = (row >= 0) & nuclei.positive
    assert np.median(nuclei.area_um2[stained] / area[row[stained]]) == pytest.approx(1, abs=0.12)
    assert np.median(nuclei.dab_od[stained] / phantom.truth.dab_od[row[stained]]) == pytest.approx(1, abs=0.08)
