"""How far a heat map can be trusted: four checks on one tile, and what they mean in plain words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np

from core.explain.attribution import Answers, Attribution
from core.explain.deletion import RandomOrder, coarse, curves_of, random_order
from core.explain.findings import (
    Agreement,
    MapCheck,
    agreement_notices,
    attribution_notices,
    glass_notices,
    map_notices,
)
from core.explain.randomised import Randomised
from core.explain.ranks import rank_correlation, top_overlap
from core.stains.separation import White
from core.types import Heatmap, Mask, Notice, RGBImage

GLASS_MARGIN = 0.1
"""A class that empty glass has almost as surely as the tile cannot be taken away by covering."""


@dataclass(frozen=True)
class Faithfulness:
    """All checks of the heat maps of one tile.

    Attributes:
        target: the class that is explained.
        score, glass_score: its probability in the tile, and in a tile of nothing but glass.
        tissue_share: of the tile, in [0, 1].
        answers, seconds: what all of it cost.
    """

    target: str
    score: float
    glass_score: float
    tissue_share: float
    maps: tuple[MapCheck, ...]
    random: RandomOrder
    agreements: tuple[Agreement, ...]
    notices: tuple[Notice, ...]
    answers: int
    seconds: float


def check_maps(
    tile: RGBImage,
    maps: Mapping[str, Heatmap],
    answers: Answers,
    *,
    target: str,
    tissue: Mask,
    glass: White,
    randomised: Mapping[str, tuple[Randomised, ...]],
    attributions: Sequence[Attribution] = (),
    clock: Callable[[], float] = lambda: 0.0,
    seed: int = 0,
) -> Faithfulness:
    """Check heat maps of one tile.

    Args:
        tile: (px, px, 3) uint8 RGB as the network sees it.
        maps: name -> (px, px) float32 in [0, 1].
        target: the class whose probability `answers` returns.
        tissue: of the tile, (h, w) bool at any resolution.
        glass: (3,) RGB of covered places.
        randomised: name -> comparisons with random weights, from `core.explain.randomised.compare`.
        attributions: those among the maps that came from covering, for remarks on them.
        clock: seconds since the work began.
    Raises:
        CancelledError: raised by the progress of `answers`.
    """
    answers.step = "covering in random order"
    chance = random_order(tile, answers, glass=glass, seed=seed)
    score, glass_score = chance.mean[0], chance.mean[-1]
    can_fall = glass_score < score - GLASS_MARGIN
    checks = []
    for name, heatmap in maps.items():
        answers.step = f"covering what {name} marks"
        curves = curves_of(tile, heatmap, answers, glass=glass, seed=seed)
        share = heat_on_tissue(heatmap, tissue)
        follows = chance.beaten_by(curves) if can_fall else None
        checks.append(MapCheck(name, share, curves, follows, randomised.get(name, ())))
    agreements = tuple(_agreement(first, second, maps) for first, second in combinations(maps, 2))
    tissue_share = float(tissue.mean())
    notices = (
        *(() if can_fall else glass_notices(target, score, glass_score)),
        *(notice for check in checks for notice in map_notices(check, target, chance)),
        *(notice for each in attributions for notice in attribution_notices(each, target)),
        *agreement_notices(agreements),
    )
    return Faithfulness(
        target,
        score,
        glass_score,
        tissue_share,
        tuple(checks),
        chance,
        agreements,
        notices,
        answers.count,
        clock(),
    )


def heat_on_tissue(heatmap: Heatmap, tissue: Mask) -> float | None:
    """Return the share of a map's heat that lies on tissue, in [0, 1]; None where the map is empty.

    Args:
        heatmap: (H, W) float32.
        tissue: (h, w) bool of the same field.
    """
    total = float(heatmap.sum())
    if total <= 0:
        return None
    size = (heatmap.shape[1], heatmap.shape[0])
    mask = cv2.resize(tissue.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return float((heatmap * mask).sum()) / total


def _agreement(first: str, second: str, maps: Mapping[str, Heatmap]) -> Agreement:
    cells = coarse(maps[first]), coarse(maps[second])
    return Agreement(first, second, rank_correlation(*cells), top_overlap(*cells))
