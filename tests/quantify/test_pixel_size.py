"""The pixel size is read off the nuclei."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.quantify.pixel_size import estimate_mpp

WHITE = np.array([238.0, 238.0, 240.0])


def test_the_pixel_size_is_guessed_from_the_nuclei(shared_data: Path) -> None:
    image = cv2.imread(str(shared_data / "ki67_points" / "bcdata" / "14.png"), cv2.IMREAD_COLOR_RGB)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert estimate_mpp(image, WHITE) == pytest.approx(0.25, rel=0.3)
    assert estimate_mpp(half, WHITE) == pytest.approx(0.5, rel=0.3)
