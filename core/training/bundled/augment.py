"""Make training pictures as varied as laboratories and scanners are: changes in optical density, then in the camera.

All functions take and return (H, W, 3) uint8 RGB and draw from the generator they are given.
"""

from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from core.types import RGBImage

PixelT = TypeVar("PixelT", bound=np.generic)


def turn(rng: np.random.Generator, image: npt.NDArray[PixelT]) -> npt.NDArray[PixelT]:
    """Flip and rotate by quarter turns at random; works on (H, W) maps too."""
    quarter, flip = int(rng.integers(4)), bool(rng.integers(2))
    turned = np.rot90(image, quarter)
    return np.ascontiguousarray(turned[:, ::-1] if flip else turned)


def restain(
    rng: np.random.Generator,
    image: RGBImage,
    white: tuple[float, float, float],
    *,
    mix: float = 0.035,
    strength: float = 0.15,
    new_white: bool = True,
) -> RGBImage:
    """Change dye colours and amounts in optical density, and the colour of the light.

    Args:
        white: (R, G, B) of empty background in `image`.
        mix: deviation of the cross-talk between channels (how much the dyes' colours differ).
        strength: largest relative change of all densities; small, because the amount of DAB carries the score.
        new_white: also draw another background, from grey 170 to bright 255, slightly tinted.
    """
    levels = np.maximum(np.arange(256, dtype=np.float32), 1)[:, None]
    density = cv2.LUT(np.ascontiguousarray(image), -np.log10(levels / np.array(white, np.float32))[None])
    matrix = np.eye(3) * rng.uniform(1 - strength, 1 + strength) + rng.normal(0, mix, (3, 3))
    density = cv2.transform(density, matrix.astype(np.float32))
    target = np.array(white, np.float32)
    if new_white:
        bright = rng.random() < 0.6
        level = rng.uniform(222, 255) if bright else rng.uniform(170, 222)
        target = np.clip(level + rng.normal(0, 4, 3), 150, 255).astype(np.float32)
    return np.asarray(np.clip(np.power(np.float32(10.0), -density) * target + 0.5, 0, 255), np.uint8)


def degrade(rng: np.random.Generator, image: RGBImage) -> RGBImage:
    """Blur, sharpen, add noise or compress, each now and then."""
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.0)))
    elif rng.random() < 0.25:
        amount = float(rng.uniform(0.3, 1.0))
        image = cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), 1.2), -amount, 0)
    if rng.random() < 0.3:
        noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(rng.uniform(1, 6))
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(40, 95))
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(image, np.uint8)
