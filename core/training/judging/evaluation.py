"""The figures of a trained classifier on tiles that it never learnt from, as they are kept in evaluation.json."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from core.inference.aggregation import pool_tiles
from core.labels import CLASSES, Marker
from core.training.judging.curves import area_under_roc, precision_recall_curves, roc_curves
from core.training.judging.fitting import Fitted
from core.training.judging.held_out import HeldOut
from core.training.judging.metrics import (
    Floats,
    Interval,
    accuracy_of,
    balanced_accuracy_of,
    case_interval,
    confusion_matrix,
    kappa_of,
    mean_recall_interval,
    wider,
    wilson,
)
from core.training.judging.reliability import reliability


def evaluate_classifier(
    held: HeldOut, fitted: Fitted, *, subset: str, gap: Mapping[str, float | None], notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return all figures of held-out tiles.

    Intervals are 95 %. Where cases are known they are the wider of one over tiles and one over resampled cases:
    tiles of one case are no independent witnesses.

    Args:
        held: of the test cases, or of the validation cases where there are no others.
        fitted: temperature and thresholds, from the validation tiles.
        subset: where `held` comes from: "test", "val" or "train".
        gap: accuracy and loss on training and on validation tiles.
        notes: sentences to show beside the figures.
    """
    confusion = confusion_matrix(held.labels, held.predicted, len(held.classes))
    kappa = partial(kappa_of, quadratic=held.ordered or len(held.classes) == 2)
    return {
        "kind": "classifier",
        "classes": list(held.classes),
        "subset": subset,
        "cases_known": held.cases_known,
        "confusion": confusion.tolist(),
        "accuracy": asdict(_accuracy(held, confusion)) | {"count": len(held.labels)},
        "balanced_accuracy": asdict(wider(_over_cases(held, balanced_accuracy_of), mean_recall_interval(confusion))),
        "kappa": asdict(_over_cases(held, kappa)) | {"weights": "quadratic" if held.ordered else "none"},
        "per_class": [_one_class(held, index) for index in range(len(held.classes))],
        "roc": roc_curves(held),
        "precision_recall": precision_recall_curves(held),
        "calibration": {
            "before": asdict(reliability(held.probs(), held.labels)),
            "after": asdict(reliability(held.probs(fitted.temperature), held.labels)),
            "temperature": fitted.temperature,
        },
        "conformal": _conformal(held, fitted),
        "cases": _cases(held, fitted.temperature),
        "gap": dict(gap),
        "errors": [],
        "notes": [*notes, *fitted.notes],
    }


def worst_errors(held: HeldOut, temperature: float, *, limit: int) -> npt.NDArray[np.int64]:
    """Return the indices of the wrong tiles, the most confident first."""
    wrong = np.flatnonzero(held.predicted != held.labels)
    confidence = held.probs(temperature).max(axis=1)[wrong]
    return np.asarray(wrong[np.argsort(-confidence, kind="stable")][:limit], np.int64)


def _accuracy(held: HeldOut, confusion: npt.NDArray[np.int64]) -> Interval:
    low, high = wilson(int(np.trace(confusion)), len(held.labels))
    return wider(_over_cases(held, accuracy_of), Interval(0.0, low, high))


def _over_cases(held: HeldOut, figure: Any) -> Interval:
    """Interval over cases, or over tiles where no case is known."""
    units = held.cases if held.cases_known else np.arange(len(held.labels)).astype(str)
    return case_interval(held.labels, held.predicted, units, len(held.classes), figure)


def _one_class(held: HeldOut, index: int) -> dict[str, Any]:
    own = held.labels == index
    hits, count = int((held.predicted[own] == index).sum()), int(own.sum())
    low, high = wilson(hits, count)
    return {
        "label": held.classes[index],
        "count": count,
        "recall": hits / count if count else None,
        "low": low,
        "high": high,
        "auc": area_under_roc(held, index),
    }


def _conformal(held: HeldOut, fitted: Fitted) -> dict[str, Any]:
    """Thresholds, and what they hold of each class on these tiles; sizes of the sets tell what that costs."""
    sets = fitted.sets(held.probs(fitted.temperature), held.classes)
    shares = {
        label: float(sets[held.labels == index, index].mean()) if (held.labels == index).any() else None
        for index, label in enumerate(held.classes)
    }
    return {
        "coverage": fitted.coverage,
        "thresholds": fitted.thresholds,
        "held": shares,
        "mean_size": float(np.maximum(sets.sum(axis=1), 1).mean()),
    }


def _cases(held: HeldOut, temperature: float) -> dict[str, Any] | None:
    """Agreement case by case; None where cases are unknown or their tiles carry different labels."""
    if not held.cases_known:
        return None
    probs, exact, near = held.probs(temperature), 0, 0
    names = np.unique(held.cases)
    for name in names:
        own = held.cases == name
        label = int(held.labels[own][0])
        if (held.labels[own] != label).any():
            return None
        answer = int(_pooled(probs[own], held.classes).argmax())
        exact, near = exact + (answer == label), near + (abs(answer - label) <= 1)
    return {"count": len(names), "exact": exact, "within_one": near if held.ordered else None}


def _pooled(probs: Floats, classes: tuple[str, ...]) -> Floats:
    """One answer for a case: for HER2 as an analysis pools tiles, else the mean."""
    if classes == CLASSES[Marker.HER2]:
        return pool_tiles(probs.astype(np.float32), np.ones(len(probs)))
    return np.asarray(probs.mean(axis=0))
