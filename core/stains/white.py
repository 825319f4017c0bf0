"""Bringing images of different scanners to one background."""

import cv2
import numpy as np

from core.stains.separation import White
from core.types import RGBImage

WHITE_LEVEL = 240.0
"""Background of balanced images in every channel."""


def balance_white(image: RGBImage, white: White, *, level: float = WHITE_LEVEL) -> RGBImage:
    """Scale the channels so that empty glass becomes neutral at one brightness; densities stay as they are.

    Args:
        image: (..., 3) uint8 RGB: an image, or tiles of one.
        white: (3,) RGB of the glass in `image`.
    Returns:
        The same shape.
    """
    if image.size == 0:  # OpenCV takes no empty array
        return image.copy()
    scaled = np.arange(256, dtype=np.float64)[:, None] * (level / np.asarray(white, np.float64)) + 0.5
    table = np.clip(scaled, 0, 255).astype(np.uint8)
    flat = np.ascontiguousarray(image).reshape(-1, 1, 3)
    return np.asarray(cv2.LUT(flat, table[None]), dtype=np.uint8).reshape(image.shape)
