"""Vary images as microscopes, scanners, laboratories and cameras do, for training the stain recognition."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.images import encode_jpeg, resize_to
from core.labels import Stain
from core.stains.separation import DAB, EOSIN, HEMATOXYLIN, optical_density
from core.types import RGBImage

MIN_CROP_PX = 256


def random_crop(image: RGBImage, random: np.random.Generator) -> RGBImage:
    """Cut out a random part: from a quarter of the sides up to the whole image."""
    height, width = image.shape[:2]
    share = random.uniform(0.25, 1.0) if random.random() < 0.7 else 1.0
    wide = min(width, max(MIN_CROP_PX, round(width * share)))
    tall = min(height, max(MIN_CROP_PX, round(height * share * random.uniform(0.8, 1.25))))
    x, y = random.integers(0, width - wide + 1), random.integers(0, height - tall + 1)
    return image[y : y + tall, x : x + wide]


def vary_stain(image: RGBImage, stain: Stain, random: np.random.Generator) -> RGBImage:
    """Restain, then photograph differently: stain amounts and hues, glass colour, gamma, resolution, noise, JPEG.

    Args:
        image: (H, W, 3) uint8 RGB of an H&E or IHC image.
        stain: what it shows; it decides which second stain is weakened or strengthened.
    """
    small = resize_to(image, _random_size(image, random))
    density = optical_density(small)
    density = _restain(density, EOSIN if stain is Stain.HE else DAB, stain, random)
    glass = random.uniform(165, 255) * (1 - np.abs(random.normal(0, 1, 3)) * np.array([0.02, 0.02, 0.05]))
    lit = glass.astype(np.float32) * np.power(np.float32(10), -density)
    return _photograph(lit, random)


def vary_photograph(image: RGBImage, random: np.random.Generator) -> RGBImage:
    """Vary an image that is neither stain: hue, saturation, white balance, resolution, noise, JPEG."""
    small = resize_to(image, _random_size(image, random)).astype(np.float32)
    gray = small.mean(axis=2, keepdims=True)
    small = gray + (small - gray) * random.uniform(0.3, 1.5)
    if random.random() < 0.4:
        small = small[..., random.permutation(3)]
    gains = 1 + random.normal(0, 0.08, 3)
    lit = 255 * np.power(np.clip(small * gains / 255, 0, 1), random.uniform(0.6, 1.6))
    return _photograph(lit.astype(np.float32), random)


def clipped(values: npt.NDArray[np.floating[Any]]) -> RGBImage:
    """Round (H, W, 3) float values to uint8 and clip them to [0, 255]."""
    return np.asarray(np.clip(values + 0.5, 0, 255), dtype=np.uint8)


def _restain(
    density: npt.NDArray[np.float32], second: tuple[float, float, float], stain: Stain, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Change the amount of the second stain, the overall strength and, slightly, every channel."""
    vectors = np.array([HEMATOXYLIN, second, np.cross(HEMATOXYLIN, second)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    amounts = density @ np.linalg.inv(vectors).astype(np.float32)  # (h, w, 3)
    # A negative IHC is blue alone; H&E keeps some eosin, or it would be no H&E.
    amounts[..., 1] *= random.choice([0.0, 0.3, 1.0, 1.5, 2.5]) if stain is Stain.IHC else random.uniform(0.6, 1.4)
    amounts[..., 0] *= random.uniform(0.6, 1.5)
    vectors = vectors + random.normal(0, 0.06, vectors.shape)  # blue to purple, ochre to black-brown
    mixed = (amounts @ vectors.astype(np.float32)) * np.float32(random.uniform(0.5, 1.5))
    return np.asarray(np.maximum(mixed * (1 + random.normal(0, 0.05, 3)), 0), dtype=np.float32)


def _photograph(lit: npt.NDArray[np.float32], random: np.random.Generator) -> RGBImage:
    lit = 255 * np.power(np.clip(lit / 255, 0, 1), np.float32(random.uniform(0.8, 1.25)))
    if random.random() < 0.3:
        lit = cv2.GaussianBlur(lit, (0, 0), random.uniform(0.5, 4))
    lit = lit + random.normal(0, random.uniform(0.2, 4), lit.shape).astype(np.float32)
    image = clipped(lit)
    if random.random() < 0.5:
        encoded = np.frombuffer(encode_jpeg(image, int(random.integers(30, 95))), np.uint8)
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), dtype=np.uint8)
    return image


def _random_size(image: RGBImage, random: np.random.Generator) -> tuple[int, int]:
    height, width = image.shape[:2]
    side = random.uniform(256, 640)
    factor = min(1.0, side / max(height, width))
    return max(32, round(width * factor)), max(32, round(height * factor))
