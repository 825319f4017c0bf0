"""Curves of a classifier over all thresholds, thinned to what a chart can show."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from core.training.judging.held_out import HeldOut

MAX_POINTS = 200


def roc_curves(held: HeldOut) -> list[dict[str, Any]]:
    """Return one curve per class against all others; of two classes that of the second, of absent classes none."""
    curves = []
    for index, label in _drawn(held):
        false, true, _ = roc_curve(held.labels == index, held.probs()[:, index])
        curves.append({"label": label, "fpr": _thin(false), "tpr": _thin(true)})
    return curves


def precision_recall_curves(held: HeldOut) -> list[dict[str, Any]]:
    """Return one curve per class as `roc_curves`, from high recall to low."""
    curves = []
    for index, label in _drawn(held):
        precision, recall, _ = precision_recall_curve(held.labels == index, held.probs()[:, index])
        curves.append({"label": label, "recall": _thin(recall), "precision": _thin(precision)})
    return curves


def area_under_roc(held: HeldOut, index: int) -> float | None:
    """Return the area under the curve of one class against all others; None where either side has no tile."""
    positive = held.labels == index
    if positive.all() or not positive.any():
        return None
    return float(roc_auc_score(positive, held.probs()[:, index]))


def _drawn(held: HeldOut) -> list[tuple[int, str]]:
    pairs = list(enumerate(held.classes))
    present = set(held.labels.tolist())
    return [(index, label) for index, label in pairs[len(pairs) == 2 :] if index in present and len(present) > 1]


def _thin(values: npt.NDArray[np.float64]) -> list[float]:
    """Keep first and last point and an even choice between; the same places in every array of the same length."""
    places = np.unique(np.linspace(0, len(values) - 1, min(len(values), MAX_POINTS)).round().astype(int))
    return [round(float(value), 5) for value in values[places]]
