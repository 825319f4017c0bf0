"""The published pipeline's tiles, rank and pictures."""

import numpy as np
import pytest

from core.compat import choose_tiles, rank
from core.compat_pictures import orig_resized, probs_chart, region_overlay, region_pseudo, tile_overlay
from core.slides.tiling import Box
from core.types import RGBImage

BROWN = (150, 90, 40)


def field(width: int, height: int, *, tissue: tuple[int, int, int, int] | None = None) -> RGBImage:
    """White glass with a gray rectangle of tissue at (left, top, right, bottom)."""
    image = np.full((height, width, 3), 255, np.uint8)
    if tissue is not None:
        left, top, right, bottom = tissue
        image[top:bottom, left:right] = 120
    return image


def test_up_to_1400_px_an_image_is_one_tile() -> None:
    assert choose_tiles(field(1400, 900)) == [Box(0, 0, 1400, 900)]


def test_a_larger_image_is_cut_inside_its_non_blank_box() -> None:
    boxes = choose_tiles(field(2000, 1500, tissue=(300, 400, 1100, 900)))
    # The box reaches 5 px beyond the first tissue pixel and 5 px beyond the last one's index: 295..1104, 395..904.
    assert [(box.x, box.y) for box in boxes] == [(x, y) for y in (395, 695) for x in (295, 595, 895)]
    assert boxes[0] == Box(295, 395, 400, 400)
    assert boxes[-1] == Box(895, 695, 209, 209)


def test_narrow_rests_and_blank_tiles_are_left_out() -> None:
    image = field(2000, 1500, tissue=(300, 400, 700, 800))
    image[400:800, 1500:1540] = 120
    boxes = choose_tiles(image)
    assert all(min(box.width, box.height) >= 120 for box in boxes)
    assert {box.x for box in boxes} == {295, 595, 1195}  # between 995 and 1195 there is glass alone


def test_a_large_blank_image_is_one_tile() -> None:
    assert choose_tiles(field(2000, 1500)) == [Box(0, 0, 2000, 1500)]


def test_the_rank_is_the_stated_sum() -> None:
    tile = np.full((100, 100, 3), BROWN, np.uint8)
    tile[:, 50:] = 255
    texture = 4 * (255 - 103) * 100 / 100**2 / 2  # two columns at the edge, each |103 - 255|; 103 is brown's gray
    expected = 0.55 * 0.8 + 0.25 * 5_000 / 50_000 + 0.15 * texture / 40 + 0.05 * 5_000 / 200_000
    assert rank(0.8, tile) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("width", "height"), [(3000, 2200), (900, 700), (224, 224), (60, 400)])
def test_no_picture_is_larger_than_the_upload(width: int, height: int) -> None:
    image = field(width, height, tissue=(10, 10, width // 2, height // 2))
    box = Box(0, 0, min(400, width), min(400, height))
    heatmap = np.linspace(0, 1, 224 * 224, dtype=np.float32).reshape(224, 224)
    pictures = [
        tile_overlay(image, heatmap),
        region_overlay(image, box, heatmap),
        region_pseudo(image, box),
        orig_resized(image),
        probs_chart({"0": 0.1, "1+": 0.2, "2+": 0.3, "3+": 0.4}, (width, height)),
    ]
    for picture in pictures:
        assert (picture.dtype, picture.ndim) == (np.uint8, 3)
        assert picture.shape[0] <= min(height, 1400)
        assert picture.shape[1] <= min(width, 1400)


def test_only_the_tile_that_answers_is_coloured() -> None:
    image = field(600, 600, tissue=(0, 0, 600, 600))
    image[100:200, 100:200] = 30
    coloured = region_pseudo(image, Box(100, 100, 200, 200))
    factor = coloured.shape[0] / 600
    outside, dark = coloured[round(50 * factor), round(50 * factor)], coloured[round(150 * factor), round(150 * factor)]
    assert tuple(outside) == (120, 120, 120)
    assert dark[0] > 100 > dark[2]  # the darkest is the red end of jet
