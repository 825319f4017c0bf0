"""Bringing images to one background."""

import numpy as np

from core.stains.separation import separate
from core.stains.white import balance_white


def test_glass_becomes_neutral_and_nothing_overflows() -> None:
    tiles = np.array([[[[200, 190, 170], [255, 255, 255]]]], np.uint8)  # (1, 1, 2, 3)
    balanced = balance_white(tiles, np.array([200.0, 190.0, 170.0]))
    assert balanced.tolist() == [[[[240, 240, 240], [255, 255, 255]]]]


def test_densities_stay_as_they_are() -> None:
    white = np.array([180.0, 175.0, 160.0])
    image = np.full((8, 8, 3), (90, 60, 40), np.uint8)
    before, after = separate(image, white), separate(balance_white(image, white), np.full(3, 240.0))
    assert np.allclose(before.dab, after.dab, atol=0.01)
    assert np.allclose(before.hematoxylin, after.hematoxylin, atol=0.01)


def test_no_tiles_are_no_error() -> None:
    assert balance_white(np.zeros((0, 8, 8, 3), np.uint8), np.full(3, 244.0)).shape == (0, 8, 8, 3)
