"""The pixel size of HER2 images: estimated where unknown, doubted where it cannot be right."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.inference.engine import Engine
from core.quantify.membrane_scale import likeliest_mpp, membrane_scale_finding
from core.stains.separation import white_point
from core.types import RGBImage

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"
PATCHES = ("00000_test_1+", "00007_test_1+", "00013_test_0", "00015_test_1+")
TRUE_MPP = {"bci": 0.5, "core": 0.25}


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The bundled networks."""
    return Engine(WEIGHTS)


def read(path: Path) -> RGBImage:
    """An image file as RGB."""
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_at_20x_is_recognised_and_40x_or_more_is_doubted(engine: Engine, shared_data: Path, name: str) -> None:
    image = read(shared_data / "bci" / "IHC" / f"{name}.png")
    white, true_mpp = white_point(image), TRUE_MPP["bci"]
    assert likeliest_mpp(image, white, engine.detect_nuclei) == pytest.approx(true_mpp, rel=0.45)
    assert membrane_scale_finding(image, white, true_mpp, engine.detect_nuclei) is None
    doubt = membrane_scale_finding(image, white, true_mpp / 4, engine.detect_nuclei)
    assert doubt is not None and doubt.code == "scale-implausible" and "Check the magnification" in doubt.message


@pytest.mark.parametrize("core", ["0/ccb66c10", "2+/0123a214", "3+/a1f1510c"])
def test_a_core_at_40x_is_recognised(engine: Engine, shared_data: Path, core: str) -> None:
    image = read(shared_data / "her2_cores" / f"{core}.jpg")
    white, true_mpp = white_point(image), TRUE_MPP["core"]
    assert likeliest_mpp(image, white, engine.detect_nuclei) == pytest.approx(true_mpp, rel=0.45)
    assert membrane_scale_finding(image, white, true_mpp, engine.detect_nuclei) is None


def test_an_empty_picture_doubts_nothing(engine: Engine) -> None:
    blank = np.full((300, 400, 3), 240, np.uint8)
    white = np.full(3, 240.0)
    assert membrane_scale_finding(blank, white, 0.25, engine.detect_nuclei) is None
    assert likeliest_mpp(blank, white, engine.detect_nuclei) > 0


def test_a_size_between_the_usual_ones_is_not_doubted(engine: Engine) -> None:
    blank = np.full((300, 400, 3), 240, np.uint8)
    assert membrane_scale_finding(blank, np.full(3, 240.0), 0.354, engine.detect_nuclei) is None
