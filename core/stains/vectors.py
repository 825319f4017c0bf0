"""The colour of hematoxylin in one image, where it can be trusted, and how well two stains explain the image.

Dyes, sections and cameras differ, so the vectors of Ruifrok and Johnston only fit on average. Macenko's method reads
those of the image off its own tissue. A field with one stain, or with other stains, would give nonsense, so they count
only when both stains are there and look like hematoxylin and DAB.

Of the two, hematoxylin is taken and DAB stays as usual. Stained nuclei are counterstained and the hue of DAB changes
with its density, so the brownest direction is a mixture: on simulated sections it is 7 degrees off on average, the
usual vector 3; hematoxylin found is 1 degree off, the usual one 3 (`tests/stains/test_vectors.py`).

Source: Macenko et al. 2009, ISBI, 1107-1110 (here without centring, and with the limits below).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.stains.separation import DAB, H_DAB, HEMATOXYLIN, StainPair, White, optical_density, white_point
from core.types import RGBImage

Densities = npt.NDArray[np.float64]
"""(N, 3) optical density in R, G, B."""

SAMPLED_SIDE_PX = 700
"""Pixels are picked from a grid of at most this side: shrinking would mix the stains of neighbouring pixels."""

STAINED_OD, DARKEST_OD = 0.2, 1.6
"""Length of the density from which a pixel shows a dye, and channel density from which the camera saw nothing."""

EXTREME_PERCENT = 1.0
"""Share of pixels beyond each of the two directions."""

MIN_PIXELS = 3000
"""Fewer stained pixels of the sample say nothing."""

MIN_BLUE, MIN_BROWN = 0.05, 0.02
"""Least share of stained pixels that are nearly pure hematoxylin and nearly pure DAB."""

MAX_TURN_HEMATOXYLIN, MAX_TURN_DAB = 18.5, 19.0
"""Largest angle to the usual vector in degrees (largest on the shared fields with both stains: 18.3 and 18.2)."""

MIN_ANGLE, MAX_ANGLE = 25.0, 64.0
"""Between both vectors in degrees; the usual ones lie 37 degrees apart."""


@dataclass(frozen=True)
class StainVectors:
    """Colours of the two stains of one image.

    Attributes:
        hematoxylin, dab: optical density in R, G, B, of length 1.
        estimated: hematoxylin was read off the image; otherwise the usual vectors of Ruifrok and Johnston.
        reason: why, in words.
        residual: share of the stained tissue's optical density that these two stains do not explain, in [0, 1];
            0 without tissue.
        extremes: the two directions found, bluest first, trusted or not; None without stained tissue.
    """

    hematoxylin: tuple[float, float, float]
    dab: tuple[float, float, float]
    estimated: bool
    reason: str
    residual: float = 0.0
    extremes: StainPair | None = None

    @property
    def pair(self) -> StainPair:
        """Both vectors, as `separate` takes them."""
        return self.hematoxylin, self.dab


def estimate_vectors(image: RGBImage, white: White | None = None) -> StainVectors:
    """Estimate the colour of hematoxylin in one image, or say why the usual one is taken.

    Args:
        image: (H, W, 3) uint8 RGB of an IHC image, any size.
        white: (3,) RGB of the glass; estimated from the image by default.
    """
    density = stained_densities(image, white_point(image) if white is None else white)
    if len(density) < MIN_PIXELS:
        return StainVectors(*H_DAB, estimated=False, reason=f"only {len(density)} sampled pixels are stained")
    usual_residual = residual_share(density, H_DAB)
    found = _extremes(density)
    doubt = _doubt(density, found)
    own: StainPair = (found[0], DAB)
    residual = residual_share(density, own)
    if not doubt and residual >= usual_residual:
        doubt = "the usual vectors explain the image as well"
    if doubt:
        return StainVectors(*H_DAB, estimated=False, reason=doubt, residual=usual_residual, extremes=found)
    return StainVectors(*own, estimated=True, reason="both stains are there", residual=residual, extremes=found)


def stained_densities(image: RGBImage, white: White) -> Densities:
    """Return the densities of a sample of the stained pixels, (N, 3), without those too dark for the camera."""
    step = max(1, -(-max(image.shape[:2]) // SAMPLED_SIDE_PX))
    density = optical_density(np.ascontiguousarray(image[::step, ::step]), white).reshape(-1, 3).astype(np.float64)
    length = np.linalg.norm(density, axis=1)
    return np.asarray(density[(length > STAINED_OD) & (density.max(axis=1) < DARKEST_OD)])


def residual_share(density: Densities, stains: StainPair) -> float:
    """Return the share of optical density that amounts of two stains, none negative, leave unexplained.

    Args:
        density: (N, 3).
    """
    total = float(np.linalg.norm(density, axis=1).sum())
    if total == 0:
        return 0.0
    vectors = _unit(stains)
    left = density - amounts(density, stains) @ vectors
    return float(np.linalg.norm(left, axis=1).sum()) / total


def amounts(density: Densities, stains: StainPair) -> npt.NDArray[np.float64]:
    """Return how much of each stain explains the densities best, (N, 2), none negative."""
    vectors = _unit(stains)
    both = density @ np.linalg.pinv(vectors)
    alone = np.maximum(density @ vectors.T, 0)
    without_first, without_second = both[:, 0] < 0, both[:, 1] < 0
    both[without_first] = alone[without_first] * (0, 1)
    both[without_second] = alone[without_second] * (1, 0)
    return np.asarray(both)


def angle(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Return the angle between two colours in degrees."""
    cosine = float(np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other)))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _extremes(density: Densities) -> StainPair:
    """Return the outermost directions in the plane that the densities spread in, the redder absorption first."""
    _, axes = np.linalg.eigh(density.T @ density)
    plane = axes[:, [2, 1]]
    plane[:, 0] *= np.sign(plane[:, 0].sum()) or 1.0
    projected = density @ plane
    turns = np.arctan2(projected[:, 1], projected[:, 0])
    outer = [
        plane @ (np.cos(turn), np.sin(turn)) for turn in np.percentile(turns, (EXTREME_PERCENT, 100 - EXTREME_PERCENT))
    ]
    one, other = (tuple(float(value) for value in np.clip(vector, 0, None)) for vector in outer)
    first, second = (one, other) if one[0] >= other[0] else (other, one)
    return (first[0], first[1], first[2]), (second[0], second[1], second[2])


def _doubt(density: Densities, found: StainPair) -> str:
    """Say why the vectors found are not those of hematoxylin and DAB; empty if they could be."""
    hematoxylin, dab = amounts(density, H_DAB).T
    blue, brown = np.mean(hematoxylin > 2 * dab), np.mean((dab > 0.25) & (dab > 2 * hematoxylin))
    if blue < MIN_BLUE:
        return f"hardly any pure hematoxylin ({blue:.1%} of the stained pixels)"
    if brown < MIN_BROWN:
        return f"hardly any pure DAB ({brown:.1%} of the stained pixels)"
    turns = angle(found[0], HEMATOXYLIN), angle(found[1], DAB)
    if turns[0] > MAX_TURN_HEMATOXYLIN or turns[1] > MAX_TURN_DAB:
        return f"the colours found are not those of hematoxylin and DAB ({turns[0]:.0f} and {turns[1]:.0f} degrees off)"
    between = angle(*found)
    if not MIN_ANGLE <= between <= MAX_ANGLE:
        return f"the two colours found lie {between:.0f} degrees apart"
    return ""


def _unit(stains: StainPair) -> npt.NDArray[np.float64]:
    vectors = np.array(stains, dtype=np.float64)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
