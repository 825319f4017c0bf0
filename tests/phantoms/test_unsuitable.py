"""Pictures that no score should be read from show what they are meant to show."""

from collections.abc import Callable

import numpy as np
import pytest

from core.phantoms.unsuitable import (
    acellular_phantom,
    fluorescence_phantom,
    gray_phantom,
    pigment_phantom,
    saturated_phantom,
)
from core.stains.separation import separate
from core.types import RGBImage

WHITE = np.array([238.0, 238.0, 240.0])


@pytest.mark.parametrize(
    "draw", [acellular_phantom, fluorescence_phantom, gray_phantom, pigment_phantom, saturated_phantom]
)
def test_same_seed_gives_the_same_picture(draw: Callable[..., RGBImage]) -> None:
    image = draw(4, size_px=96, mpp=0.5)
    assert image.shape == (96, 96, 3) and image.dtype == np.uint8
    assert np.array_equal(image, draw(4, size_px=96, mpp=0.5))
    assert not np.array_equal(image, draw(5, size_px=96, mpp=0.5))


def test_pigment_reads_as_brown_although_nothing_is_stained() -> None:
    assert np.mean(separate(pigment_phantom(3, size_px=256), WHITE).dab > 0.5) > 0.02


def test_saturated_tissue_is_dark_brown_throughout() -> None:
    assert np.median(separate(saturated_phantom(3, size_px=256), WHITE).dab) > 0.8


def test_gray_has_no_colour_and_fluorescence_no_light_background() -> None:
    assert np.ptp(gray_phantom(3, size_px=128), axis=2).max() == 0
    assert np.percentile(fluorescence_phantom(3, size_px=256), 20) < 20


def test_acellular_tissue_is_pale() -> None:
    assert separate(acellular_phantom(3, size_px=256), WHITE).hematoxylin.max() < 0.35
