"""From PR tiles to one status for the image."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from core.inference.aggregation import Aggregate
from core.inference.calibration import threshold_of
from core.labels import INSUFFICIENT, PrStatus
from core.quantify.nuclei import MIN_NUCLEI
from core.quantify.scores import POSITIVE_PERCENT, ReceptorStatus, pgr_status
from core.types import Measurements

POSITIVE_TILE_SHARE = 0.10
"""Share of tissue tiles with a stained nucleus from which the image is PR+.

A tile holds about ten nuclei, so 1 % of the nuclei, scattered, stain about one tile in ten; the share also keeps the
few false alarms of a tile network from deciding an image.
"""

CERTAINTY_LIMIT = 0.99
"""Tiles of one image are not independent, so its probability is never put beyond this."""

_CLASSES = (PrStatus.NEGATIVE, PrStatus.POSITIVE)


def aggregate_pr(
    tile_probs: npt.NDArray[np.float32],
    tissue: npt.NDArray[np.float32],
    calibration: Mapping[str, float],
    measurements: Measurements | None,
    *,
    min_tissue: float = 0.05,
) -> Aggregate:
    """Decide PR+ or PR- for an image from all its tissue tiles, and put the counted nuclei beside it.

    Args:
        tile_probs: (N, 2) calibrated probabilities of PR- and PR+ per tile.
        tissue: (N,) share of each tile that is tissue, in [0, 1].
        calibration: of the network; `conformal_threshold` is the largest 1 - p of a class kept in the prediction
            set, for all classes or class by class.
        measurements: of the same image, with nuclei counted; None where nothing was counted.
        min_tissue: tiles with less tissue are left out.
    """
    used = np.asarray(tile_probs, dtype=np.float64)[np.asarray(tissue) >= min_tissue]
    rule_label, rule_text = _nuclear_rule(measurements)
    if len(used) == 0:
        return Aggregate(INSUFFICIENT, (), (), "No tile holds enough tissue to be scored.", rule_label, rule_text)
    needed = max(1, int(np.ceil(POSITIVE_TILE_SHARE * len(used) - 1e-9)))
    positive = float(_at_least(used[:, 1], needed))
    if len(used) > 1:
        positive = float(np.clip(positive, 1 - CERTAINTY_LIMIT, CERTAINTY_LIMIT))
    probabilities = (1.0 - positive, positive)
    order = np.argsort(probabilities)[::-1]
    outcome = _CLASSES[int(order[0])]
    limits = [threshold_of(calibration, status.value, default=0.5) for status in _CLASSES]
    kept = [_CLASSES[k] for k in order if 1 - probabilities[k] <= limits[k]]
    if rule_label is not None and rule_label != outcome:
        kept = [_CLASSES[k] for k in order]  # tiles and nuclei disagree: neither status is excluded
    return Aggregate(
        outcome=outcome.value,
        probabilities=probabilities,
        prediction_set=tuple(status.value for status in kept or (outcome,)),
        rule=_rule_sentence(used[:, 1], needed),
        rule_label=rule_label,
        rule_text=rule_text,
    )


def _at_least(probabilities: npt.NDArray[np.float64], needed: int) -> float:
    """Return the probability that at least `needed` of independent events happen (Poisson binomial)."""
    fewer = np.zeros(needed)  # fewer[k]: exactly k so far, for k below `needed`
    fewer[0] = 1.0
    for p in probabilities:
        fewer[1:] = fewer[1:] * (1 - p) + fewer[:-1] * p
        fewer[0] *= 1 - p
    return float(np.clip(1.0 - fewer.sum(), 0.0, 1.0))


def _rule_sentence(positive: npt.NDArray[np.float64], needed: int) -> str:
    stained = int(np.count_nonzero(positive >= 0.5))
    if len(positive) == 1:
        return "The image is one tile, and its status is the image's."
    return (
        f"PR+ when at least {POSITIVE_TILE_SHARE:.0%} of the tissue tiles ({needed} of {len(positive)}) hold a stained "
        f"nucleus; {stained} do (none without brown can), and the confidence is the probability of that from all tiles."
    )


def _nuclear_rule(measurements: Measurements | None) -> tuple[str | None, str]:
    """Read the guideline's 1 % rule off the counted nuclei."""
    if measurements is None or measurements.positive_nuclei_percent is None:
        return None, "Nuclei were not counted."
    counted, percent = measurements.nuclei_counted or 0, measurements.positive_nuclei_percent
    if counted < MIN_NUCLEI:
        return None, f"Only {counted} nuclei were found; a percentage needs at least {MIN_NUCLEI}."
    status = PrStatus.POSITIVE if pgr_status(percent) is ReceptorStatus.POSITIVE else PrStatus.NEGATIVE
    text = (
        f"{percent:.1f} % of {counted} nuclei are stained; the guideline (ASCO/CAP 2020) reads "
        f"{POSITIVE_PERCENT:.0f} % or more of the tumour nuclei as positive. "
        "Other cells than tumour may be among them: draw the tumour to leave them out."
    )
    return status.value, text
