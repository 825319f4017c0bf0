"""Colour and texture of an image in numbers, for telling stains apart.

Everything is measured after dividing by the white point of the image, in optical density, so that grey or tinted
glass does not count as stain.
"""

import cv2
import numpy as np
import numpy.typing as npt

from core.images import resize_to_fit
from core.stains.separation import optical_density, white_point
from core.types import RGBImage

SIDE_PX = 384
"""Features are measured in a copy of at most this side: the colour mixture matters, not the single cell."""

STAINED = 0.15
"""Sum of the three optical densities from which a pixel counts as stained."""

QUANTILES = np.array([0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97])

RED_BLUE_EDGES = np.array([-2.0, -0.35, -0.2, -0.1, 0.0, 0.08, 0.16, 0.3, 2.0])
"""Bins of `(red - blue) / sum`: DAB lies near -0.31, eosin near -0.03, hematoxylin near +0.22."""

GREEN_EDGES = np.array([-3.0, -0.1, 0.1, 0.25, 0.4, 0.6, 3.0])
"""Bins of `(2 green - red - blue) / sum`: DAB lies near 0.06, hematoxylin near 0.28, eosin above 0.6."""

Features = npt.NDArray[np.float32]
"""(N_FEATURES,) float32."""


def colour_features(image: RGBImage) -> Features:
    """Describe the stain colours and the texture of an image.

    Args:
        image: (H, W, 3) uint8 RGB.
    Returns:
        (N_FEATURES,) float32; finite for every image.
    """
    white = white_point(image)
    small = resize_to_fit(image, SIDE_PX)
    density = optical_density(small, white)  # (h, w, 3)
    total = cv2.transform(density, np.ones((1, 3), np.float32))
    parts = [
        _light(small, white, total),
        _directions(density.reshape(-1, 3), total.ravel()),
        _mixture(density.reshape(-1, 3), total.ravel()),
        _texture(total),
    ]
    return np.nan_to_num(np.concatenate(parts)).astype(np.float32)


def _light(small: RGBImage, white: npt.NDArray[np.float64], total: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """How much of the image is glass, stain, black, glare, strongly coloured or gray, and how strong the stain is.

    The colour of the glass itself is left out: it tells the scanner, and on a new one it would mislead.
    """
    red, green, blue = cv2.split(small)
    highest = cv2.max(cv2.max(red, green), blue)
    spread = highest - cv2.min(cv2.min(red, green), blue)
    values = [
        np.mean(total < 0.06),
        np.mean(total > STAINED),
        np.mean(highest < 50),
        np.mean(highest > white.max() + 12),
        np.mean(spread > 120),
        np.mean(spread < 8),
        *np.quantile(total, (0.1, 0.5, 0.9, 0.99)),
    ]
    return np.array(values)


def _directions(density: npt.NDArray[np.float32], total: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Where the stained pixels lie in the plane of colour directions: weighted quantiles and a histogram."""
    stained = total > STAINED
    if stained.sum() < 50:
        stained = total >= np.sort(total)[-50:].min()
    chosen, weight = density[stained].astype(np.float64), total[stained].astype(np.float64) + 1e-9
    red_blue = (chosen[:, 0] - chosen[:, 2]) / weight
    green = (2 * chosen[:, 1] - chosen[:, 0] - chosen[:, 2]) / weight
    # Dark pixels tell the colour best, but one black speck must not outvote the tissue.
    weight = np.minimum(weight, 1.5)
    counts, _, _ = np.histogram2d(red_blue, green, bins=(RED_BLUE_EDGES, GREEN_EDGES), weights=weight)
    return np.concatenate(
        [
            _weighted_quantiles(red_blue, weight),
            _weighted_quantiles(green, weight),
            counts.ravel() / weight.sum(),
        ]
    )


def _mixture(density: npt.NDArray[np.float32], total: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """How the colours vary together: correlations of the channels, and how many stains explain the variance."""
    stained = density[total > STAINED]
    if len(stained) < 50:
        return np.zeros(8)
    centred = stained - stained.mean(axis=0)
    covariance = centred.T @ centred / len(stained) + 1e-8 * np.eye(3)
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    sizes = np.linalg.eigvalsh(covariance)[::-1]
    main = stained.mean(axis=0) / stained.mean(axis=0).sum()
    return np.array(
        [
            correlation[0, 1],
            correlation[0, 2],
            correlation[1, 2],
            sizes[1] / sizes[0],
            sizes[2] / sizes[0],
            *main,
        ]
    )


def _texture(total: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """How alike neighbours are at several distances: tissue lies between noise and the smooth areas of photographs."""
    centred = total - total.mean()
    variance = float((centred**2).mean()) + 1e-9
    values = []
    for lag in (1, 3, 8, 24):
        lag = min(lag, total.shape[0] - 1, total.shape[1] - 1)
        across = float((centred[:, lag:] * centred[:, :-lag]).mean())
        down = float((centred[lag:] * centred[:-lag]).mean())
        values.append((across + down) / (2 * variance))
    edges = np.abs(cv2.Laplacian(total, cv2.CV_32F))
    values.append(float(np.median(edges)) / np.sqrt(variance))
    values.append(float(np.mean(edges < 0.01)))
    return np.array(values)


def _weighted_quantiles(values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    order = np.argsort(values)
    cumulated = np.cumsum(weight[order])
    places = np.searchsorted(cumulated, QUANTILES * cumulated[-1])
    return np.asarray(values[order][np.minimum(places, len(order) - 1)])


N_FEATURES = 10 + 2 * 7 + 8 * 6 + 8 + 6
