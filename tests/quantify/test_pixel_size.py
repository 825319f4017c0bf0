"""The pixel size is read off the nuclei, and a given one that cannot be right is flagged."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.phantoms.phantom import nuclear_phantom
from core.quantify.pixel_size import estimate_mpp, nuclear_diameter, scale_finding
from core.stains.separation import white_point

WHITE = np.array([238.0, 238.0, 240.0])


def test_the_pixel_size_is_guessed_from_the_nuclei(shared_data: Path) -> None:
    image = cv2.imread(str(shared_data / "ki67_points" / "bcdata" / "14.png"), cv2.IMREAD_COLOR_RGB)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert estimate_mpp(image, WHITE) == pytest.approx(0.25, rel=0.3)
    assert estimate_mpp(half, WHITE) == pytest.approx(0.5, rel=0.3)


@pytest.mark.parametrize("mpp", [0.25, 0.5])
@pytest.mark.parametrize(("error", "words"), [(1.0, None), (4.0, "times smaller"), (0.25, "times larger")])
def test_a_scale_wrong_by_four_is_flagged_on_simulated_tissue(mpp: float, error: float, words: str | None) -> None:
    phantom = nuclear_phantom(3, percent_positive=30, size_px=1024, mpp=mpp)
    notice = scale_finding(phantom.image, white_point(phantom.image), error * mpp)
    assert (notice is None) == (words is None)
    assert words is None or (notice is not None and words in notice.message)


@pytest.mark.parametrize(
    ("path", "mpp"),
    [
        ("bcdata/14.png", 0.25),
        ("bcdata/2.png", 0.25),
        ("bcdata/25.png", 0.25),
        ("shidc/p1_0299_9.jpg", 0.167),
        ("shidc/p1_0317_1.jpg", 0.167),
        ("shidc/p2_0184_6.jpg", 0.167),
    ],
)
def test_a_scale_wrong_by_four_is_flagged_on_real_fields(shared_data: Path, path: str, mpp: float) -> None:
    image = cv2.imread(str(shared_data / "ki67_points" / path), cv2.IMREAD_COLOR_RGB)
    white = white_point(image)
    assert scale_finding(image, white, mpp) is None
    for wrong in (4 * mpp, mpp / 4):
        notice = scale_finding(image, white, wrong)
        assert notice is not None and notice.code == "scale-implausible"
        assert "5 to 12 µm is usual" in notice.message


def test_an_unstained_field_is_not_judged() -> None:
    assert nuclear_diameter(np.full((300, 300, 3), 240, np.uint8), np.full(3, 240.0), 0.25) is None
    assert scale_finding(np.full((300, 300, 3), 240, np.uint8), np.full(3, 240.0), 0.25) is None
