"""Tissue is found on any glass, and notices come where they should and nowhere else."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.images import decode, resize_to_fit
from core.quality.measures import SHARPNESS_LIMIT, assess, quality_notices, tissue_fractions, tissue_mask
from core.slides.tiling import Box
from core.types import RGBImage


def load(path: Path) -> RGBImage:
    return decode(path.read_bytes(), path.name, max_bytes=10**9, max_pixels=10**9).image


def codes(image: RGBImage) -> set[str]:
    return {notice.code for notice in quality_notices(assess(image))}


SHARP = (
    "bci/IHC/00005_test_1+.png",
    "bci/IHC/00011_test_3+.png",
    "bci/HE/00004_test_0.png",
    "mist/IHC/15M2102762_15_26.jpg",
    "ki67_points/shidc/p1_0310_8.jpg",
    "ki67_points/bcdata/23.png",
    "ki67_masks/Lung1/ihc.png",
    "stains/HE/fixtures__very-low-nuclei-score-level0.png",
    "stains/IHC/petebankhead__OS-2-ndpi.png",
)


@pytest.mark.parametrize("path", SHARP)
def test_real_images_in_focus_get_no_notice(shared_data: Path, path: str) -> None:
    assert codes(load(shared_data / path)) == set()


@pytest.mark.parametrize("path", SHARP)
def test_the_same_images_blurred_are_noticed(shared_data: Path, path: str) -> None:
    assert "blurred" in codes(cv2.GaussianBlur(load(shared_data / path), (0, 0), 4))


def test_an_image_out_of_focus_is_noticed(shared_data: Path) -> None:
    notice = quality_notices(assess(load(shared_data / "mist/IHC/28M2101987_31_31.jpg")))[0]
    assert notice.code == "blurred" and notice.level == "warning"
    assert f"usual from {SHARPNESS_LIMIT:g}" in notice.message


def test_sharpness_does_not_depend_on_the_lamp(shared_data: Path) -> None:
    image = load(shared_data / "mist/IHC/15M2102762_15_26.jpg")
    dim = (image * 0.6).astype(np.uint8)
    assert assess(dim).sharpness == pytest.approx(assess(image).sharpness, rel=0.15)


@pytest.mark.parametrize("name", ["almost-white-1", "no-tissue"])
def test_a_blank_slide_is_noticed_and_nothing_else(shared_data: Path, name: str) -> None:
    assert codes(load(shared_data / f"stains/other/fixtures__{name}.png")) == {"blank"}


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_image_is_blank(level: int) -> None:
    plain = np.full((64, 64, 3), level, np.uint8)
    assert codes(plain) & {"blank", "dark"}


def test_a_dark_image_and_a_flat_image_are_noticed(shared_data: Path) -> None:
    image = load(shared_data / "bci/IHC/00013_test_0.png")
    assert "dark" in codes((image * 0.25).astype(np.uint8))
    assert "low-contrast" in codes((200 + (image.astype(np.float32) - 200) * 0.15).astype(np.uint8))


@pytest.mark.parametrize(
    ("path", "low", "high"),
    [
        ("her2_cores/0/9b0f64d1.jpg", 0.33, 0.55),  # pale, unstained, on bright glass
        ("her2_cores/0/ccb66c10.jpg", 0.6, 0.75),
        ("bci/IHC/00008_test_3+.png", 0.3, 0.6),  # grey glass, a third of it empty
        ("stains/HE/fixtures__low-nuclei-score-level0.png", 0.4, 0.8),  # fat
        ("bci/HE/00014_test_2+.png", 0.95, 1.0),  # tissue from edge to edge
        ("stains/other/fixtures__no-tissue.png", 0.0, 0.015),
        ("stains/other/fixtures__almost-white-2.png", 0.02, 0.12),  # noisy glass, tissue in one corner
    ],
)
def test_finds_the_share_of_tissue(shared_data: Path, path: str, low: float, high: float) -> None:
    image = load(shared_data / path)
    mask = tissue_mask(image)
    assert mask.shape == image.shape[:2] and mask.dtype == np.bool_
    assert low <= mask.mean() <= high


def test_a_copy_at_display_size_gives_the_same_tissue(shared_data: Path) -> None:
    image = load(shared_data / "her2_cores/0/ccb66c10.jpg")
    assert tissue_mask(resize_to_fit(image, 1400)).mean() == pytest.approx(tissue_mask(image).mean(), abs=0.03)


def test_a_small_sharp_piece_on_a_large_slide_is_not_blurred(shared_data: Path) -> None:
    slide = np.full((6000, 6000, 3), 240, np.uint8)
    slide[4100:4800, 3000:3700] = load(shared_data / "mist/HE/31M2101871_17_22.jpg")[:700, :700]
    assert codes(slide) == set()


def test_counts_tissue_per_tile_in_the_frame_of_the_image() -> None:
    mask = np.zeros((50, 100), np.bool_)
    mask[:, :50] = True
    boxes = [Box(0, 0, 200, 200), Box(100, 0, 200, 200), Box(200, 0, 200, 200), Box(396, 196, 100, 100)]
    assert tissue_fractions(mask, boxes, 0.25).tolist() == [1.0, 0.5, 0.0, 0.0]
    assert tissue_fractions(mask, []).tolist() == []
