"""How a tile looks, whatever it shows: colour, contrast and sharpness in ten numbers.

A network that was trained to ignore dyes and light hardly notices that a tile is a photograph or another stain; these
numbers do.
"""

import cv2
import numpy as np
import numpy.typing as npt

from core.types import RGBImage

SIDE_PX = 56
COUNT = 10
_DENSITY = (-np.log10(np.maximum(np.arange(256), 1) / 255)).astype(np.float32)
_PAIRS = ((0, 1), (0, 2), (1, 2))


def appearance(tiles: RGBImage) -> npt.NDArray[np.float32]:
    """Measure tiles.

    Args:
        tiles: (N, px, px, 3) uint8 RGB.
    Returns:
        (N, 10) float32: mean and deviation of the optical density in R, G and B, correlations of R with G, R with B and
        G with B, and the logarithm of fine detail.
    """
    return np.array([_one(tile) for tile in tiles], np.float32).reshape(len(tiles), COUNT)


def _one(tile: RGBImage) -> npt.NDArray[np.float64]:
    small = cv2.resize(tile, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    density = _DENSITY[small].reshape(-1, 3)
    covariance = np.cov(density.T)
    deviation = np.sqrt(np.diag(covariance))
    scale = deviation + 1e-3  # a plain tile has no correlation
    correlations = [covariance[a, b] / (scale[a] * scale[b]) for a, b in _PAIRS]
    detail = np.log1p(cv2.Laplacian(small[..., 1].astype(np.float32), cv2.CV_32F).std())
    return np.concatenate([density.mean(axis=0), deviation, correlations, [detail]])
