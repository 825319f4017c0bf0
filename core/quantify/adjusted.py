"""Figures with what a person changed, kept beside the figures as measured."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.quantify.grading import LEFT_OUT, UNCHANGED, grades
from core.quantify.scores import nuclear_scores
from core.types import Adjustments, MembraneScores, NuclearScores, Nuclei

GRADE_NAMES = {LEFT_OUT: "not counted", 0: "0", 1: "1+", 2: "2+", 3: "3+"}
PATTERN_NAMES = {
    LEFT_OUT: "not counted",
    0: "none",
    1: "faint incomplete",
    2: "weak to moderate complete",
    3: "intense complete",
}


@dataclass(frozen=True)
class Adjusted:
    """Scores of the same nuclei after a person's adjustments.

    Attributes:
        nuclear: of a nuclear stain; None for a membrane stain.
        membrane: of a membrane stain; None for a nuclear stain.
        at: when, ISO 8601, UTC; empty where it was not stored.
    """

    adjustments: Adjustments
    nuclear: NuclearScores | None
    membrane: MembraneScores | None
    at: str = ""


def scores_of(nuclei: Nuclei, adjustments: Adjustments = UNCHANGED) -> NuclearScores | MembraneScores:
    """Score nuclei, or the membranes around them where those were measured.

    Raises:
        InvalidOptionError: the adjustments do not fit the nuclei.
    """
    if nuclei.membranes is None:
        return nuclear_scores(nuclei, adjustments)
    from core.quantify.membrane import membrane_scores  # imported here: the history must start quickly

    return membrane_scores(nuclei, adjustments)


def adjusted_scores(nuclei: Nuclei, adjustments: Adjustments = UNCHANGED, at: str = "") -> Adjusted:
    """Return the scores of `scores_of` with the adjustments that they follow from."""
    scores = scores_of(nuclei, adjustments)
    if isinstance(scores, MembraneScores):
        return Adjusted(adjustments, None, scores, at)
    return Adjusted(adjustments, scores, None, at)


def classes_of(nuclei: Nuclei, adjustments: Adjustments = UNCHANGED) -> npt.NDArray[np.int8]:
    """Return the class of every nucleus that is shown, counted and corrected.

    Returns:
        (N,) int8: -1 not counted, else the grade of the nucleus, or the pattern of its membrane where measured.
    """
    if nuclei.membranes is None:
        return grades(nuclei, adjustments)
    from core.quantify.membrane import membrane_patterns  # likewise

    return membrane_patterns(nuclei, adjustments)


def classes_anywhere(nuclei: Nuclei, adjustments: Adjustments) -> npt.NDArray[np.int8]:
    """Return the class of every nucleus as if there were no regions, (N,) int8."""
    return classes_of(nuclei, replace(adjustments, regions=()))


def class_names(nuclei: Nuclei) -> dict[int, str]:
    """Return what the classes of these nuclei are called."""
    return GRADE_NAMES if nuclei.membranes is None else PATTERN_NAMES
