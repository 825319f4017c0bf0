"""How a tile looks, whatever it shows: colour, contrast and sharpness in ten numbers.

A network that was trained to ignore dyes and light hardly notices that a tile is a photograph or another stain; these
numbers do.
"""

import cv2
import numpy as np
import numpy.typing as npt

from core.types import RGBImage

SIDE_PX = 32
COUNT = 10
_DENSITY = (-np.log10(np.maximum(np.arange(256), 1) / 255)).astype(np.float32)


def appearance(tiles: RGBImage) -> npt.NDArray[np.float32]:
    """Measure tiles, reduced to 32 pixels.

    Args:
        tiles: (N, px, px, 3) uint8 RGB.
    Returns:
        (N, 10) float32: mean and deviation of the optical density in R, G and B, correlations of R with G, R with B and
        G with B, and the logarithm of fine detail in G.
    """
    small = np.empty((len(tiles), SIDE_PX, SIDE_PX, 3), np.uint8)
    for tile, target in zip(tiles, small, strict=True):
        cv2.resize(tile, (SIDE_PX, SIDE_PX), dst=target, interpolation=cv2.INTER_AREA)
    density = _DENSITY[small].reshape(len(tiles), SIDE_PX**2, 3)
    mean = density.mean(axis=1)
    offset = density - mean[:, None]
    covariance = offset.transpose(0, 2, 1) @ offset / density.shape[1]  # (N, 3, 3)
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    scale = deviation + 1e-3  # a plain tile has no correlation
    correlation = covariance / (scale[:, :, None] * scale[:, None])
    pairs = correlation[:, (0, 0, 1), (1, 2, 2)]
    return np.concatenate([mean, deviation, pairs, _detail(small[..., 1])], axis=1).astype(np.float32)


def _detail(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return (N, 1): logarithm of the deviation of the Laplacian."""
    values = grey.astype(np.float32)
    around = values[:, :-2, 1:-1] + values[:, 2:, 1:-1] + values[:, 1:-1, :-2] + values[:, 1:-1, 2:]
    laplacian = around - 4 * values[:, 1:-1, 1:-1]
    return np.asarray(np.log1p(laplacian.std(axis=(1, 2)))[:, None], np.float32)
