"""How far a heat map can be trusted: four checks on one tile, and what they mean in plain words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np

from core.explain.attribution import Answers, Attribution
from core.explain.deletion import Curves, RandomOrder, coarse, curves_of, random_order
from core.explain.randomised import LAST, Randomised
from core.explain.ranks import rank_correlation, top_overlap
from core.stains.separation import White
from core.types import Heatmap, Mask, Notice, RGBImage

SAME_MAP = 0.5
"""Rank correlation with the map of random weights from which a map hardly depends on the weights."""

GLASS_LIMIT = 0.2
"""Share of the heat on empty glass from which a map is warned of."""

DISAGREEMENT = 0.2
"""Rank correlation below which two maps are said to point to different places."""

POOR_FIT = 0.5
"""Share of variance that LIME's linear model must explain at least."""

GLASS_MARGIN = 0.1
"""A class that empty glass has almost as surely as the tile cannot be taken away by covering."""


@dataclass(frozen=True)
class MapCheck:
    """What was found about one heat map.

    Attributes:
        on_tissue: share of its heat that lies on tissue, in [0, 1]; None where it marks nothing.
        curves: deletion and insertion.
        follows_answer: covering the marked places lowers the answer faster than every random order.
        randomised: how like it is to the map of random weights, stage by stage; empty where that was not tried.
    """

    name: str
    on_tissue: float | None
    curves: Curves
    follows_answer: bool
    randomised: tuple[Randomised, ...] = ()

    @property
    def similarity(self) -> float | None:
        """Likeness to the map of a network whose layers are all random; None where that was not tried."""
        return next((each.similarity for each in self.randomised if each.stage == LAST), None)


@dataclass(frozen=True)
class Agreement:
    """How alike two heat maps of the same tile are.

    Attributes:
        rank_correlation: Spearman's, over coarse cells, in [-1, 1]; None where one of them marks nothing.
        overlap: share that the strongest fifths have in common, 0.2 by chance; None likewise.
    """

    first: str
    second: str
    rank_correlation: float | None
    overlap: float | None


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
    checks = []
    for name, heatmap in maps.items():
        answers.step = f"covering what {name} marks"
        curves = curves_of(tile, heatmap, answers, glass=glass, seed=seed)
        share = heat_on_tissue(heatmap, tissue)
        checks.append(MapCheck(name, share, curves, chance.beaten_by(curves), randomised.get(name, ())))
    agreements = tuple(_agreement(first, second, maps) for first, second in combinations(maps, 2))
    score, glass_score = chance.mean[0], chance.mean[-1]
    tissue_share = float(tissue.mean())
    notices = (
        *_tile_notices(target, score, glass_score),
        *(notice for check in checks for notice in map_notices(check, target, chance)),
        *(notice for each in attributions for notice in _attribution_notices(each, target)),
        *_agreement_notices(agreements),
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


def map_notices(check: MapCheck, target: str, chance: RandomOrder) -> tuple[Notice, ...]:
    """Say what the checks of one map mean and what to do."""
    if check.on_tissue is None:
        text = f"{check.name} marks nothing: no place in this tile speaks for {target}. Choose another tile or class."
        return (Notice("empty-map", "info", text),)
    found = []
    if check.similarity is not None and check.similarity >= SAME_MAP:
        text = (
            f"{check.name} hardly depends on the weights: with random weights in all layers it looks much the same "
            f"(rank correlation {check.similarity:.2f}, below {SAME_MAP:g} expected). It shows the picture's edges and "
            "colours, not why the network answers so. Use a deeper layer or another method."
        )
        found.append(Notice("ignores-weights", "warning", text))
    elif check.randomised and check.randomised[0].lowest > 0.99:
        text = (
            f"{check.name} does not depend on the classifier's layers: it is the same map for every class. It shows "
            f"what stands out to the network, not what speaks for {target}."
        )
        found.append(Notice("ignores-class", "warning", text))
    if not check.follows_answer:
        text = (
            f"{check.name}: removing the marked places does not change the answer more than removing random ones "
            f"(area under the deletion curve {check.curves.deletion_area:.2f}, random {np.mean(chance.areas):.2f}, the "
            f"lowest {min(chance.areas):.2f}). Do not read the marked places as the reason for the answer."
        )
        found.append(Notice("not-faithful", "warning", text))
    if 1 - check.on_tissue >= GLASS_LIMIT:
        text = (
            f"{check.name}: {1 - check.on_tissue:.0%} of the heat lies on empty glass, where there is nothing to see. "
            "Look at the marked tissue only, or choose a tile with more tissue."
        )
        found.append(Notice("heat-on-glass", "warning", text))
    return tuple(found)


def _tile_notices(target: str, score: float, glass_score: float) -> tuple[Notice, ...]:
    if glass_score < score - GLASS_MARGIN:
        return ()
    text = (
        f"The network reads empty glass as {target} with {glass_score:.0%}, this tile with {score:.0%}. Taking tissue "
        f"away can hardly lower that, so LIME, occlusion and the deletion curve say little about {target} here. "
        "Choose a class that needs stain, or a tile that supports the class more."
    )
    return (Notice("glass-like-class", "warning", text),)


def _attribution_notices(found: Attribution, target: str) -> tuple[Notice, ...]:
    notices = []
    if found.fit is not None and found.fit < POOR_FIT:
        text = (
            f"{found.method}: its linear model explains {max(found.fit, 0):.0%} of how the answer changes. "
            "Parts of the tile work together; ask for more samples, or rely on occlusion."
        )
        notices.append(Notice("poor-fit", "warning", text))
    if found.opposing > 0.5:
        text = (
            f"{found.method}: {found.opposing:.0%} of what matters in this tile speaks against {target}; "
            "only what speaks for it is shown."
        )
        notices.append(Notice("mostly-against", "info", text))
    return tuple(notices)


def _agreement(first: str, second: str, maps: Mapping[str, Heatmap]) -> Agreement:
    cells = coarse(maps[first]), coarse(maps[second])
    return Agreement(first, second, rank_correlation(*cells), top_overlap(*cells))


def _agreement_notices(agreements: Sequence[Agreement]) -> tuple[Notice, ...]:
    apart = [each for each in agreements if each.rank_correlation is not None and each.rank_correlation < DISAGREEMENT]
    if not apart:
        return ()
    pairs = ", ".join(f"{each.first} and {each.second} ({each.rank_correlation:.2f})" for each in apart)
    text = f"These maps point to different places (rank correlation): {pairs}. Rely on places that several maps mark."
    return (Notice("maps-disagree", "warning", text),)
