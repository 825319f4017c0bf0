"""Features describe stain, not scanner, and exist for every image."""

from pathlib import Path

import numpy as np
import pytest

from core.images import decode
from core.stains.features import N_FEATURES, colour_features
from core.stains.separation import DAB, EOSIN, HEMATOXYLIN
from core.types import RGBImage


def stained(vector: tuple[float, float, float], white: float) -> RGBImage:
    amount = np.abs(np.random.default_rng(0).normal(0, 0.4, (200, 200, 1)))
    amount[:60] = 0
    return (white * 10 ** (-amount * np.array(vector))).astype(np.uint8)


@pytest.mark.parametrize("image", [np.zeros((32, 32, 3), np.uint8), np.full((40, 33, 3), 255, np.uint8)])
def test_exist_for_images_that_show_nothing(image: RGBImage) -> None:
    features = colour_features(image)
    assert features.shape == (N_FEATURES,) and features.dtype == np.float32 and np.isfinite(features).all()


def test_tell_the_stains_apart_by_direction_and_not_by_glass() -> None:
    red_blue, green = 13, 20  # medians of both directions
    values = {}
    for name, vector in (("h", HEMATOXYLIN), ("e", EOSIN), ("d", DAB)):
        bright, grey = colour_features(stained(vector, 250)), colour_features(stained(vector, 180))
        assert bright[[red_blue, green]] == pytest.approx(grey[[red_blue, green]], abs=0.05)
        values[name] = bright
    assert values["d"][red_blue] < values["e"][red_blue] < values["h"][red_blue]
    assert values["d"][green] < values["h"][green] < values["e"][green]


def test_are_quick_on_a_whole_core(shared_data: Path) -> None:
    data = (shared_data / "her2_cores/0/ccb66c10.jpg").read_bytes()
    core = decode(data, "core.jpg", max_bytes=10**9, max_pixels=10**9).image
    assert np.isfinite(colour_features(core)).all()
