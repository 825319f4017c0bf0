"""Colour deconvolution recovers the stains it was given; the white point follows the glass, not the tissue."""

from pathlib import Path

import numpy as np
import pytest

from core.images import decode
from core.stains.separation import (
    DAB,
    EOSIN,
    HEMATOXYLIN,
    optical_density,
    separate,
    separate_he,
    white_point,
)
from core.types import RGBImage


def stained(amounts: dict[tuple[float, float, float], float], white: tuple[float, ...] = (240, 240, 240)) -> RGBImage:
    """A field stained evenly by Beer-Lambert, with a strip of clean glass."""
    density = sum(amount * np.array(vector) / np.linalg.norm(vector) for vector, amount in amounts.items())
    image = np.empty((60, 60, 3))
    image[:] = np.array(white) * 10**-density
    image[:20] = white
    return (image + 0.5).astype(np.uint8)


def load(path: Path) -> RGBImage:
    return decode(path.read_bytes(), path.name, max_bytes=10**9, max_pixels=10**9).image


@pytest.mark.parametrize("white", [(240, 240, 240), (178, 178, 176), (234, 230, 200)])
def test_recovers_known_amounts_on_any_glass(white: tuple[int, int, int]) -> None:
    parts = separate(stained({HEMATOXYLIN: 0.4, DAB: 0.7}, white))
    assert parts.hematoxylin[40, 40] == pytest.approx(0.4, abs=0.03)
    assert parts.dab[40, 40] == pytest.approx(0.7, abs=0.03)
    assert parts.residual[40, 40] == pytest.approx(0, abs=0.03)
    assert max(parts.dab[5, 5], parts.hematoxylin[5, 5]) < 0.01


def test_recovers_eosin() -> None:
    parts = separate_he(stained({HEMATOXYLIN: 0.3, EOSIN: 0.5}))
    assert parts.hematoxylin[40, 40] == pytest.approx(0.3, abs=0.03)
    assert parts.eosin[40, 40] == pytest.approx(0.5, abs=0.03)


def test_downsampling_keeps_the_mean_density() -> None:
    parts = separate(stained({DAB: 0.7}), downsample=4)
    assert parts.dab.shape == (15, 15) and parts.dab[10, 10] == pytest.approx(0.7, abs=0.03)
    assert parts.dab.dtype == np.float32


def test_density_is_zero_on_glass_and_finite_on_black() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[:20] = 240
    density = optical_density(image, np.full(3, 240.0))
    assert density[0, 0].max() == 0 and np.isfinite(density).all() and density[30, 30, 0] > 2


def test_white_follows_the_scanner(shared_data: Path) -> None:
    assert white_point(load(shared_data / "bci/IHC/00008_test_3+.png")) == pytest.approx([178, 178, 176], abs=3)
    assert white_point(load(shared_data / "her2_cores/0/ccb66c10.jpg")) == pytest.approx([233, 232, 240], abs=3)
    assert white_point(load(shared_data / "ki67_points/shidc/p1_0299_1.jpg")) == pytest.approx([232, 230, 200], abs=5)


def test_tissue_without_glass_is_not_taken_for_white(shared_data: Path) -> None:
    full = load(shared_data / "stains/HE/fixtures__very-low-nuclei-score-level0.png")  # pink from edge to edge
    white = white_point(full)
    assert white[0] == white[1] == white[2] and 225 <= white[0] <= 245


def test_noise_does_not_brighten_the_glass() -> None:
    noise = np.random.default_rng(0).normal(225, 12, (300, 300, 3))
    assert white_point(np.clip(noise, 0, 255).astype(np.uint8)) == pytest.approx([225, 225, 225], abs=4)


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_saturated_images_have_a_usable_white(level: int) -> None:
    white = white_point(np.full((50, 50, 3), level, np.uint8))
    assert (white >= 100).all() and (white <= 255).all()
