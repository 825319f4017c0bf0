"""Overlapping tiles become one picture without seams, and no more of them is kept than needed."""

import numpy as np
import pytest
from filled_weights import noise

from core.inference.tile_blending import OVERLAP_PX, TILE_PX, Blend, starts


def scene(height: int, width: int) -> np.ndarray:
    """A picture with structure in it."""
    return np.kron(noise(-(-height // 8), -(-width // 8), 3), np.ones((8, 8, 1), np.uint8))[:height, :width]


def blended(picture: np.ndarray, added: np.ndarray | None = None) -> np.ndarray:
    """Cut into tiles, each made brighter by its entry of `added`, and put together again."""
    blend = Blend(picture.shape[:2])
    for row, top in enumerate(blend.tops):
        for column, left in enumerate(blend.lefts):
            tile = picture[top : top + TILE_PX, left : left + TILE_PX]
            blend.add(row, column, tile if added is None else (tile + added[row, column]).astype(np.uint8))
    return blend.finish()


@pytest.mark.parametrize("length", [256, 257, 300, 450, 1000, 4096])
def test_tiles_cover_a_side_and_overlap_enough(length: int) -> None:
    places = starts(length)
    assert (places[0], places[-1]) == (0, length - TILE_PX)
    assert all(0 < second - first <= TILE_PX - OVERLAP_PX for first, second in zip(places, places[1:], strict=False))


@pytest.mark.parametrize("size", [(256, 256), (256, 448), (450, 300), (700, 900)])
def test_equal_tiles_are_blended_unchanged(size: tuple[int, int]) -> None:
    picture = scene(*size)
    assert np.array_equal(blended(picture), picture)


def test_tiles_that_differ_in_brightness_are_evened_out() -> None:
    picture = np.full((TILE_PX, 2 * TILE_PX - OVERLAP_PX, 3), 128, np.uint8)
    found = blended(picture, np.array([[-8, 8]])).astype(int)
    assert np.abs(found - 128).max() <= 4  # 8 gray levels apart at most, instead of 16


def test_a_large_grid_is_evened_out_as_a_whole() -> None:
    picture = np.full((1400, 1100, 3), 128, np.uint8)
    shape = (len(starts(1400)), len(starts(1100)))
    found = blended(picture, np.random.default_rng(0).integers(-10, 11, shape)).astype(int)
    assert np.abs(found - found.mean()).max() <= 3


def test_only_neighbouring_tiles_are_kept() -> None:
    blend = Blend((2000, 600))
    blank, most = np.full((TILE_PX, TILE_PX, 3), 200, np.uint8), 0
    for row in range(len(blend.tops)):
        for column in range(len(blend.lefts)):
            blend.add(row, column, blank)
            most = max(most, len(blend._near))
    assert most <= 2 * len(blend.lefts)
    assert np.array_equal(blend.finish(), np.full((2000, 600, 3), 200, np.uint8))
