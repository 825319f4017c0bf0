"""What was found about one heat map or a pair of them, and what it means in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.explain.attribution import Attribution
from core.explain.deletion import Curves, RandomOrder
from core.explain.randomised import LAST, Randomised
from core.types import Notice

SAME_MAP = 0.5
"""Rank correlation with the map of random weights from which a map hardly depends on the weights.

Measured with Grad-CAM on three real tiles: conv0 0.34 to 0.88, denseblock3 0.06 to 0.38, denseblock4 0.10 to 0.24; see
"How far to trust the heat maps" in weights/ihcnet.md.
"""

GLASS_LIMIT = 0.2
"""Share of the heat on empty glass from which a map is warned of."""

DISAGREEMENT = 0.2
"""Rank correlation below which two maps are said to point to different places."""

POOR_FIT = 0.5
"""Share of variance that LIME's linear model must explain at least."""


@dataclass(frozen=True)
class MapCheck:
    """What was found about one heat map.

    Attributes:
        on_tissue: share of its heat that lies on tissue, in [0, 1]; None where it marks nothing.
        curves: deletion and insertion.
        follows_answer: covering the marked places lowers the answer faster than every random order; None where covering
            cannot lower it, because empty glass is read as the same class.
        randomised: how like it is to the map of random weights, stage by stage; empty where that was not tried.
    """

    name: str
    on_tissue: float | None
    curves: Curves
    follows_answer: bool | None
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
    if check.follows_answer is False:
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


def glass_notices(target: str, score: float, glass_score: float) -> tuple[Notice, ...]:
    """Say that empty glass is read as the explained class, so that covering tells nothing."""
    text = (
        f"The network reads empty glass as {target} with {glass_score:.0%}, this tile with {score:.0%}. Taking tissue "
        f"away can hardly lower that, so LIME, occlusion and the deletion curve say little about {target} here. "
        "Choose a class that needs stain, or a tile that supports the class more."
    )
    return (Notice("glass-like-class", "warning", text),)


def attribution_notices(found: Attribution, target: str) -> tuple[Notice, ...]:
    """Say where LIME's model fits badly, or where little of an explanation is shown."""
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


def agreement_notices(agreements: Sequence[Agreement]) -> tuple[Notice, ...]:
    """Say which maps point to different places."""
    apart = [each for each in agreements if each.rank_correlation is not None and each.rank_correlation < DISAGREEMENT]
    if not apart:
        return ()
    pairs = ", ".join(f"{each.first} and {each.second} ({each.rank_correlation:.2f})" for each in apart)
    text = f"These maps point to different places (rank correlation): {pairs}. Rely on places that several maps mark."
    return (Notice("maps-disagree", "warning", text),)
