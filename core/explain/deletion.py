"""Deletion and insertion curves: does the answer follow the places that a heat map marks?

Source: Petsiuk, Das and Saenko 2018 (RISE, https://arxiv.org/abs/1806.07421). Places are the cells of a coarse grid, so
that a map is not rewarded for noise that destroys the texture, and each curve is compared with cells in random order.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.explain.attribution import Answers
from core.explain.covering import CELLS, cell_regions, cover
from core.stains.separation import White
from core.types import Heatmap, RGBImage

STEPS = 14
RANDOM_ORDERS = 19
"""A map that does better than all of them does so by chance in one of 20 tiles."""

Values = npt.NDArray[np.float64]
"""(STEPS + 1,) probabilities, after 0 to all cells were covered or shown."""

SHARES: tuple[float, ...] = tuple(step / STEPS for step in range(STEPS + 1))
"""Share of the tile that is covered (deletion) or shown (insertion) at each step."""


@dataclass(frozen=True)
class Curves:
    """How the probability of the class changes as marked places are covered, or shown on empty glass.

    Attributes:
        deletion, insertion: STEPS + 1 probabilities at `SHARES`.
        deletion_area, insertion_area: under the curves, in [0, 1]. A good map has a small and a large one.
    """

    deletion: tuple[float, ...]
    insertion: tuple[float, ...]

    @property
    def deletion_area(self) -> float:
        """Area under the deletion curve."""
        return area(self.deletion)

    @property
    def insertion_area(self) -> float:
        """Area under the insertion curve."""
        return area(self.insertion)


@dataclass(frozen=True)
class RandomOrder:
    """The same with cells in random order, several times. Covering and showing are the same thing then, read backwards.

    Attributes:
        mean, lowest, highest: deletion curves, STEPS + 1 values.
        areas: under each deletion curve.
        insertion_areas: under each insertion curve.
    """

    mean: tuple[float, ...]
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    areas: tuple[float, ...]
    insertion_areas: tuple[float, ...]

    def beaten_by(self, curves: Curves) -> bool:
        """Whether covering by a map lowers the answer faster than every random order does."""
        return curves.deletion_area < min(self.areas)

    def beaten_by_showing(self, curves: Curves) -> bool:
        """Whether showing what a map marks raises the answer faster than every random order does."""
        return curves.insertion_area > max(self.insertion_areas)


def coarse(heatmap: Heatmap) -> npt.NDArray[np.float32]:
    """Return the mean of a heat map in each cell, (CELLS * CELLS,)."""
    return np.asarray(cv2.resize(heatmap, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32).ravel()


def order_of(heatmap: Heatmap, *, seed: int = 0) -> npt.NDArray[np.intp]:
    """Return the cells, most strongly marked first; equal ones in random order."""
    values = coarse(heatmap)
    return np.lexsort((np.random.default_rng(seed).random(len(values)), -values))


def curves_of(tile: RGBImage, heatmap: Heatmap, answers: Answers, *, glass: White, seed: int = 0) -> Curves:
    """Cover the marked cells first, then show them first.

    Args:
        tile: (px, px, 3) uint8 RGB.
        heatmap: (px, px) float32.
        glass: (3,) RGB of covered places.
    """
    order = order_of(heatmap, seed=seed)
    return Curves(_curve(tile, order, answers, glass), _curve(tile, order, answers, glass, show=True))


def random_order(tile: RGBImage, answers: Answers, *, glass: White, seed: int = 0) -> RandomOrder:
    """Cover cells in `RANDOM_ORDERS` random orders; arguments as `curves_of`."""
    rng = np.random.default_rng(seed)
    found = np.array([_curve(tile, rng.permutation(CELLS**2), answers, glass) for _ in range(RANDOM_ORDERS)])
    return RandomOrder(
        mean=_numbers(found.mean(axis=0)),
        lowest=_numbers(found.min(axis=0)),
        highest=_numbers(found.max(axis=0)),
        areas=tuple(area(_numbers(curve)) for curve in found),
        insertion_areas=tuple(area(_numbers(curve[::-1])) for curve in found),
    )


def area(curve: tuple[float, ...]) -> float:
    """Area under a curve over `SHARES`, by the trapezoidal rule."""
    return float(np.trapezoid(curve, SHARES))


def answers_needed(maps: int) -> int:
    """How often the network is asked for the curves of so many maps and the random orders."""
    return (2 * maps + RANDOM_ORDERS) * (STEPS + 1)


def _curve(
    tile: RGBImage, order: npt.NDArray[np.intp], answers: Answers, glass: White, *, show: bool = False
) -> tuple[float, ...]:
    places = np.empty(len(order), np.intp)
    places[order] = np.arange(len(order))  # when each cell's turn comes
    counts = np.rint(np.array(SHARES) * len(order))[:, None]
    shown = places[None] < counts if show else places[None] >= counts
    return _numbers(answers(cover(tile, cell_regions(tile.shape[0]), shown, glass)))


def _numbers(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
