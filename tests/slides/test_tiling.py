"""Tiles cover the whole image at one physical size."""

import numpy as np
import pytest

from core.errors import InvalidImageError
from core.slides.tiling import Box, plan_tiles


def test_a_small_image_is_one_tile() -> None:
    assert plan_tiles((700, 500), mpp=0.25, tile_um=128) == [Box(0, 0, 700, 500)]


def test_a_field_of_two_tiles_a_side_has_four_tiles() -> None:
    assert plan_tiles((1024, 1024), mpp=0.25, tile_um=128) == [
        Box(0, 0, 512, 512),
        Box(512, 0, 512, 512),
        Box(0, 512, 512, 512),
        Box(512, 512, 512, 512),
    ]


@pytest.mark.parametrize("size", [(5468, 5468), (8000, 8000), (3000, 400), (1025, 2047)])
def test_every_pixel_is_in_a_tile_and_no_tile_leaves_the_image(size: tuple[int, int]) -> None:
    covered = np.zeros((size[1], size[0]), bool)
    for box in plan_tiles(size, mpp=0.25, tile_um=128):
        assert box.x >= 0 and box.y >= 0 and box.x + box.width <= size[0] and box.y + box.height <= size[1]
        covered[box.y : box.y + box.height, box.x : box.x + box.width] = True
    assert covered.all()


def test_half_the_magnification_gives_tiles_of_half_the_pixels() -> None:
    assert {box.width for box in plan_tiles((2048, 2048), mpp=0.5, tile_um=128)} == {256}


def test_neighbouring_boxes_stay_neighbours_when_scaled() -> None:
    left, right = Box(0, 0, 333, 333).scaled(0.25), Box(333, 0, 333, 333).scaled(0.25)
    assert left.x + left.width == right.x


def test_refuses_a_scale_that_gives_millions_of_tiles() -> None:
    with pytest.raises(InvalidImageError, match="Check the scale"):
        plan_tiles((8000, 8000), mpp=5.0, tile_um=128)
