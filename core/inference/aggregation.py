"""From HER2 tiles to one score for the image: the network's tiles and the measured membranes together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.inference.calibration import has_thresholds, threshold_of
from core.labels import INSUFFICIENT, Her2Score
from core.quantify.her2_rule import SCORES, MeasuredScore, lacks_tumour, measured_her2

UPPER_SHARE = 0.10
"""The guideline asks what more than 10 % of the tumour shows: the tenth of the tiles that score highest decides."""

CERTAIN = 0.8
"""Least probability of 0 on an unstained section and of 3+ on one with intense membranes."""

DEFAULT_COVERAGE = 0.9
"""Where the weights bring no conformal threshold, the prediction set holds this much probability."""


@dataclass(frozen=True)
class Aggregate:
    """The answer for one image.

    Attributes:
        outcome: a class of the marker, or `INSUFFICIENT`.
        probabilities: of all classes in the order of `CLASSES`; empty where nothing was scored.
        prediction_set: classes that cannot be excluded, best first.
        rule: how the tiles became one answer, in one sentence.
        rule_label: class by measurement alone; None where no rule applies.
        rule_text: that rule in words.
    """

    outcome: str
    probabilities: tuple[float, ...]
    prediction_set: tuple[str, ...]
    rule: str
    rule_label: str | None = None
    rule_text: str = ""


def aggregate_her2(
    tile_probs: npt.NDArray[np.float32],
    features: npt.NDArray[np.float32],
    tissue: npt.NDArray[np.floating[Any]],
    calibration: Mapping[str, float],
) -> Aggregate:
    """Score one image from all its tissue tiles.

    Args:
        tile_probs: (N, 4) probabilities of 0, 1+, 2+, 3+ per tile.
        features: (N, 9) as from `core.quantify.membrane_features.features_array`.
        tissue: (N,) share of each tile that is tissue.
        calibration: numbers that belong to the weights: `network_weight` in [0, 1], the `ordinal_*` regression,
            `image_temperature`, `conformal_threshold` and its `coverage`. Empty for other weights: then the network
            decides alone, except at the two certain ends.
    """
    if len(tile_probs) == 0:
        return Aggregate(INSUFFICIENT, (), (), "No tile holds enough tissue to be scored.")
    reason = lacks_tumour(features)
    if reason:
        return Aggregate(INSUFFICIENT, (), (), reason)
    network = pool_tiles(tile_probs, tissue)
    measured = measured_her2(features, calibration)
    probabilities = combine(network, measured, calibration)
    order = np.argsort(-probabilities, kind="stable")
    return Aggregate(
        outcome=SCORES[int(order[0])].value,
        probabilities=tuple(float(p) for p in probabilities),
        prediction_set=prediction_set(probabilities, calibration),
        rule=_sentence(len(tile_probs), measured, calibration),
        rule_label=measured.label.value if measured.label else None,
        rule_text=measured.text,
    )


def pool_tiles(tile_probs: npt.NDArray[np.float32], tissue: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Return the (4,) mean of the tenth of the tiles with the highest expected score, weighted by their tissue."""
    probs = np.asarray(tile_probs, np.float64)
    count = max(1, round(UPPER_SHARE * len(probs)))
    upper = np.argsort(-(probs @ np.arange(4)), kind="stable")[:count]
    weights = np.maximum(np.asarray(tissue, np.float64)[upper], 1e-3)
    return np.asarray(np.average(probs[upper], axis=0, weights=weights))


def combine(
    network: npt.NDArray[np.float64], measured: MeasuredScore, calibration: Mapping[str, float]
) -> npt.NDArray[np.float64]:
    """Return (4,) probabilities: the weighted geometric mean of both, tempered, with the certain ends enforced."""
    mixed = np.log(np.clip(network, 1e-4, 1))
    if measured.probabilities is not None:
        weight = float(np.clip(calibration.get("network_weight", 1.0), 0.0, 1.0))
        mixed = weight * mixed + (1 - weight) * np.log(np.clip(measured.probabilities, 1e-4, 1))
    scaled = np.exp(mixed / calibration.get("image_temperature", 1.0))
    probabilities = scaled / scaled.sum()
    if measured.certain is not None:
        end = SCORES.index(measured.certain)
        if probabilities[end] < CERTAIN:
            rest = np.delete(probabilities, end)
            probabilities = np.insert((1 - CERTAIN) * rest / rest.sum(), end, CERTAIN)
    return np.asarray(probabilities)


def prediction_set(probabilities: npt.NDArray[np.float64], calibration: Mapping[str, float]) -> tuple[str, ...]:
    """Return the scores that cannot be excluded, best first; never empty.

    With `conformal_threshold`, or one for each score, a score is kept while 1 - p does not exceed it (split conformal
    prediction, Vovk 2005); without any, scores are kept until they hold 90 % of the probability.
    """
    order = np.argsort(-probabilities, kind="stable")
    if has_thresholds(calibration):
        limits = [threshold_of(calibration, score.value, default=1.0) for score in SCORES]
        kept = [k for k in order if 1 - probabilities[k] <= limits[k]]
    else:
        before = np.cumsum(probabilities[order]) - probabilities[order]
        kept = [k for k, mass in zip(order, before, strict=True) if mass < DEFAULT_COVERAGE]
    return tuple(SCORES[int(k)].value for k in kept or order[:1])


def _sentence(tiles: int, measured: MeasuredScore, calibration: Mapping[str, float]) -> str:
    upper = max(1, round(UPPER_SHARE * tiles))
    if tiles == 1:
        source = "the only tile"
    elif upper == 1:
        source = f"the highest of {tiles} tissue tiles"
    else:
        source = f"the highest tenth ({upper}) of {tiles} tissue tiles"
    if measured.probabilities is None:
        text = f"The network's answer for {source} (the guideline asks for more than 10 % of the tumour)"
    else:
        weight = calibration.get("network_weight", 1.0)
        text = (
            f"The network's answer for {source} (weight {weight:.0%}) combined with an ordinal regression "
            f"on measured membrane stain (weight {1 - weight:.0%})"
        )
    if measured.certain is Her2Score.THREE:
        return f"{text}; intense membranes on enough tissue settle it as 3+."
    if measured.certain is Her2Score.ZERO:
        return f"{text}; without any brown stain it is settled as 0."
    return f"{text}."
