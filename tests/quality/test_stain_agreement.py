"""A virtual stain beside the real one."""

import numpy as np
import pytest
from filled_weights import noise

from core.quality.stain_agreement import dab_blocks, judge


def stain(height: int = 64, width: int = 64) -> np.ndarray:
    """White with a brown half."""
    image = np.full((height, width, 3), 240, np.uint8)
    image[:, : width // 2] = (160, 110, 70)
    return image


def test_equal_stains_agree_in_everything() -> None:
    found = judge(stain(), stain())
    assert (found.ssim, found.psnr, found.dab_error) == (pytest.approx(1.0), 100.0, 0.0)
    assert (found.dab_correlation, found.dice) == (pytest.approx(1.0), 1.0)


def test_a_stain_on_the_other_side_overlaps_nowhere() -> None:
    found = judge(np.ascontiguousarray(stain()[:, ::-1]), stain())
    assert found.dice == 0.0
    assert found.dab_correlation < -0.9 and found.ssim < 1


def test_without_brown_there_is_nothing_to_correlate() -> None:
    found = judge(np.full((32, 32, 3), 240, np.uint8), stain(32, 32))
    assert (found.dab_correlation, found.dice) == (0.0, 0.0)


def test_blocks_are_four_pixels_wide() -> None:
    assert dab_blocks(noise(20, 12, 3)).shape == (5, 3)
