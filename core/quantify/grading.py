"""From measured nuclei to classes 0, 1+, 2+ and 3+, with what a person changed."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.errors import InvalidOptionError
from core.quantify.regions import selected
from core.types import Adjustments, Nuclei, Thresholds

LEFT_OUT = -1
"""Class of a nucleus that does not count: outside the regions, excluded, or no tumour nucleus by eye."""

GRADES = (0, 1, 2, 3)

UNCHANGED = Adjustments()
"""What nobody adjusted."""


def grades(nuclei: Nuclei, adjustments: Adjustments) -> npt.NDArray[np.int8]:
    """Give every nucleus its class by the thresholds, the regions and the corrections.

    A correction replaces the class by optical density. It does not bring back a nucleus that lies outside the regions.

    Returns:
        (N,) int8: -1 left out, 0 unstained, 1 weak, 2 moderate, 3 strong.
    Raises:
        InvalidOptionError: thresholds that do not rise, or a correction of no nucleus or to no class.
    """
    graded = measured_grades(nuclei, adjustments.thresholds)
    check_corrections(adjustments.corrections, len(nuclei))
    if adjustments.corrections:
        rows = np.fromiter(adjustments.corrections.keys(), np.intp)
        graded[rows] = np.fromiter(adjustments.corrections.values(), np.int8)
    if adjustments.regions:
        graded[~selected(nuclei, adjustments.regions)] = LEFT_OUT
    return graded


def measured_grades(nuclei: Nuclei, thresholds: Thresholds) -> npt.NDArray[np.int8]:
    """Give every nucleus its class by its mean DAB optical density, before anybody's correction.

    Returns:
        (N,) int8 in 0-3. Without a threshold for weak, stained and unstained stay as they were detected.
    Raises:
        InvalidOptionError: the thresholds do not rise.
    """
    check_thresholds(thresholds)
    if thresholds.weak is not None:
        steps = (thresholds.weak, thresholds.moderate, thresholds.strong)
        return np.digitize(nuclei.dab_od, steps).astype(np.int8)
    stained = 1 + np.digitize(nuclei.dab_od, (thresholds.moderate, thresholds.strong))
    return np.where(nuclei.positive, stained, 0).astype(np.int8)


def check_thresholds(thresholds: Thresholds) -> None:
    """Refuse thresholds that do not rise from above 0: weak, moderate, strong.

    Raises:
        InvalidOptionError: with what was found.
    """
    weak = () if thresholds.weak is None else (thresholds.weak,)
    steps = (0.0, *weak, thresholds.moderate, thresholds.strong)
    # `not` also refuses NaN
    if not (all(lower < higher for lower, higher in pairwise(steps)) and steps[-1] < float("inf")):
        found = ", ".join(f"{step:g}" for step in steps[1:])
        raise InvalidOptionError(
            f"The thresholds are {found}. They are optical densities above 0 that rise from weak to moderate to strong."
        )


def check_corrections(corrections: dict[int, int], count: int, classes: tuple[int, ...] = (LEFT_OUT, *GRADES)) -> None:
    """Refuse a correction of a nucleus that is not there, or to a class that does not exist.

    Args:
        count: number of nuclei.
        classes: allowed values.
    Raises:
        InvalidOptionError: with what was found.
    """
    for row, grade in corrections.items():
        if not 0 <= row < count:
            raise InvalidOptionError(f"There is no nucleus {row}: the image has {count}, numbered from 0.")
        if grade not in classes:
            allowed = ", ".join(str(value) for value in classes)
            raise InvalidOptionError(f"Nucleus {row} cannot be of class {grade}. Choose one of {allowed}.")
