"""Images that report tests are made over."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.types import RGBImage


@pytest.fixture(scope="session")
def ihc_image(shared_data: Path) -> RGBImage:
    """A real HER2 IHC patch, (512, 512, 3) uint8 RGB."""
    path = sorted((shared_data / "bci" / "IHC").glob("*_2+.png"))[0]
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return np.ascontiguousarray(image[:512, :512])
