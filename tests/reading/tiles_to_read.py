"""Pictures for reader tests."""

import cv2
import numpy as np

from core.types import RGBImage


def tile(seed: int, side: int = 128) -> RGBImage:
    """Brown and blue blobs on bright glass."""
    random = np.random.default_rng(seed)
    image = np.full((side, side, 3), 235, np.uint8)
    for _ in range(40):
        centre = tuple(int(value) for value in random.integers(0, side, 2))
        colour = (120, 70, 40) if random.random() < 0.5 else (90, 100, 170)
        cv2.circle(image, centre, int(random.integers(4, 12)), colour, -1)
    return image
