"""Seams are found where they are, and only there."""

import numpy as np
import pytest
from filled_weights import noise

from core.inference.seams import seam_index


def tissue(height: int, width: int) -> np.ndarray:
    """Texture without seams."""
    return (noise(height, width, 3) // 4 + 128).astype(np.uint8)


def checkered(height: int, width: int, step: int) -> np.ndarray:
    """The same with every second tile of 256 px brighter."""
    rows, columns = np.arange(height) // 256, np.arange(width) // 256
    brighter = (rows[:, None] + columns[None]) % 2 * step
    return (tissue(height, width) + brighter[..., None]).astype(np.uint8)


def test_a_single_tile_has_no_seams() -> None:
    assert seam_index(tissue(256, 256)) is None
    assert seam_index(tissue(200, 100)) is None


@pytest.mark.parametrize("size", [(1024, 1024), (256, 900), (700, 512)])
def test_texture_without_seams_has_an_index_of_about_one(size: tuple[int, int]) -> None:
    assert seam_index(tissue(*size)) == pytest.approx(1.0, abs=0.25)


def test_tiles_of_another_brightness_raise_it() -> None:
    faint, strong = (seam_index(checkered(1024, 1024, step), overlap=0) for step in (4, 20))
    assert faint is not None and strong is not None
    assert 1.5 < faint < strong


def test_empty_glass_has_no_seams() -> None:
    assert seam_index(np.full((512, 512, 3), 240, np.uint8)) == 1.0
