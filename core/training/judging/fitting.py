"""What the validation tiles say about a classifier's certainty: temperature, and prediction sets class by class."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from core.models.sidecar import SidecarCalibration
from core.training.judging.held_out import HeldOut

LOG_TEMPERATURES = (-2.5, 3.5)
"""Where the temperature is looked for."""

ROOM = 1e-6
"""Added to a threshold, so that rounding does not push the deciding tile out of its own set."""


@dataclass(frozen=True)
class Fitted:
    """Temperature and conformal thresholds.

    Attributes:
        thresholds: class -> largest 1 - p with which it stays in the prediction set; 1 never leaves it.
        coverage: share of each class whose true class the set shall hold.
        notes: where there were too few tiles or cases, in words.
    """

    temperature: float
    thresholds: dict[str, float]
    coverage: float
    notes: tuple[str, ...]

    def sidecar(self) -> SidecarCalibration:
        """Return it as it travels with the weights."""
        return SidecarCalibration(
            temperature=self.temperature,
            conformal_threshold=max(self.thresholds.values()),
            conformal_thresholds=self.thresholds,
            coverage=self.coverage,
        )

    def sets(self, probs: npt.NDArray[np.float64], classes: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Return (N, C): which classes stay in each tile's prediction set, by its calibrated probabilities."""
        limits = np.array([self.thresholds.get(label, 1.0) for label in classes])
        return np.asarray(1 - probs <= limits)


def fit_calibration(validation: HeldOut, *, coverage: float) -> Fitted:
    """Fit temperature and thresholds to validation tiles; any number of them, none included.

    Args:
        coverage: share of each class whose true class the prediction set shall hold.
    """
    temperature = fit_temperature(validation)
    probs = validation.probs(temperature)
    thresholds, notes = {}, []
    for index, label in enumerate(validation.classes):
        own = validation.labels == index
        cases = validation.cases[own] if validation.cases_known else None
        thresholds[label], note = conformal_threshold(1 - probs[own, index], cases, coverage=coverage)
        notes += [f"{label}: {note}"] if note else []
    return Fitted(temperature, thresholds, coverage, tuple(notes))


def fit_temperature(validation: HeldOut) -> float:
    """Return the temperature of highest likelihood, every class weighing the same; 1 without tiles.

    A weak prior (one deviation of the logarithm is 1) counts as much as one case, so that a handful of cases that are
    all right does not make the network certain of everything. Source: Guo et al. 2017.
    """
    labels = validation.labels
    if len(labels) == 0:
        return 1.0
    logits = validation.logits.astype(np.float64)
    counts = np.bincount(labels, minlength=len(validation.classes))
    weights = 1 / counts[labels] / np.count_nonzero(counts)  # (N,), sum 1
    evidence = len(set(validation.cases)) if validation.cases_known else len(labels)

    def loss(log_temperature: float) -> float:
        surprise = -log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(labels)), labels]
        return float(evidence * (weights * surprise).sum() + log_temperature**2 / 2)

    return float(np.exp(minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded").x))


def conformal_threshold(
    misfits: npt.NDArray[np.float64], cases: npt.NDArray[np.str_] | None, *, coverage: float
) -> tuple[float, str]:
    """Return the largest misfit that stays in the prediction set of one class, and a note where it promises less.

    Tiles of one case are alike, so every case weighs the same and cases are what is counted (hierarchical conformal
    prediction). With too few cases the worst of them decides, which promises nothing for others; with too few tiles,
    the class never leaves the set.

    Args:
        misfits: (N,) 1 - p of the true class of the validation tiles of this class.
        cases: (N,) their cases; None where they are unknown.
    Sources: Vovk 2012 (class by class); Lee, Barber and Willett 2023, https://arxiv.org/abs/2306.06342 (by case).
    """
    needed = ceil(coverage / (1 - coverage) - 1e-9)
    if len(misfits) < needed:
        return 1.0, (
            f"{len(misfits)} validation tiles are too few for {coverage:.0%} coverage ({needed} are needed), "
            "so it never leaves the prediction set."
        )
    if cases is None:
        return _ranked(misfits, coverage), ""
    _, places, counts = np.unique(cases, return_inverse=True, return_counts=True)
    if len(counts) < needed:
        worst = max(_ranked(misfits[places == case], coverage) for case in range(len(counts)))
        return worst, (
            f"its validation tiles come from {len(counts)} cases, and {needed} are needed to promise {coverage:.0%} "
            "for new cases; the worst of them decides what stays in the prediction set."
        )
    order = np.argsort(misfits, kind="stable")
    held = np.cumsum(1 / counts[places][order]) / (len(counts) + 1)
    return _padded(misfits[order[int(np.argmax(held >= coverage - 1e-9))]]), ""


def _ranked(misfits: npt.NDArray[np.float64], coverage: float) -> float:
    """The misfit that the next tile exceeds with at most 1 - coverage; the largest where there are too few tiles."""
    rank = min(len(misfits), ceil((len(misfits) + 1) * coverage - 1e-9))
    return _padded(np.sort(misfits)[rank - 1])


def _padded(misfit: float) -> float:
    return min(1.0, float(misfit) + ROOM)
