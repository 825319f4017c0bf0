"""Classes of nuclei: by the detector, by thresholds, by a person."""

import numpy as np
import pytest
from results_by_hand import hand_made_nuclei

from core.errors import InvalidOptionError
from core.quantify.grading import LEFT_OUT, check_corrections, grades, measured_grades
from core.types import Adjustments, Region, Thresholds

MIXED = (0, 1, 2, 3, 0, 1, 2, 3, 0)
LEFT_THIRD = Region(((0, 0), (213, 0), (213, 640), (0, 640)))


def test_without_adjustments_the_detector_decides_what_is_stained() -> None:
    assert grades(hand_made_nuclei(MIXED), Adjustments()).tolist() == list(MIXED)


def test_a_stained_nucleus_is_at_least_weak_and_an_unstained_one_has_no_class() -> None:
    nuclei = hand_made_nuclei((1, 3))
    nuclei.dab_od[:] = (0.01, 0.9)
    nuclei.positive[:] = (True, False)
    assert measured_grades(nuclei, Thresholds()).tolist() == [1, 0]


def test_with_a_threshold_for_weak_the_optical_density_decides_alone() -> None:
    nuclei = hand_made_nuclei((0, 0, 0, 0, 0))
    nuclei.dab_od[:] = (0.19, 0.2, 0.4, 0.59, 0.6)
    assert measured_grades(nuclei, Thresholds(0.2, 0.4, 0.6)).tolist() == [0, 1, 2, 2, 3]


def test_a_correction_wins_over_the_thresholds_and_can_leave_a_nucleus_out() -> None:
    changed = grades(hand_made_nuclei(MIXED), Adjustments(corrections={0: 3, 3: 0, 8: LEFT_OUT}))
    assert changed.tolist() == [3, 1, 2, 0, 0, 1, 2, 3, -1]


def test_a_correction_does_not_bring_back_what_lies_outside_the_region() -> None:
    changed = grades(hand_made_nuclei(MIXED), Adjustments(regions=(LEFT_THIRD,), corrections={0: 2, 1: 3}))
    assert changed.tolist() == [2, -1, -1, 3, -1, -1, 2, -1, -1]
    assert changed.dtype == np.int8


@pytest.mark.parametrize(
    "thresholds",
    [
        Thresholds(0.5, 0.4, 0.6),
        Thresholds(0.4, 0.4, 0.6),
        Thresholds(0.0, 0.4, 0.6),
        Thresholds(-0.1, 0.4, 0.6),
        Thresholds(None, 0.7, 0.6),
        Thresholds(None, 0.0, 0.6),
        Thresholds(float("nan"), 0.4, 0.6),
        Thresholds(0.2, 0.4, float("inf")),
    ],
)
def test_thresholds_that_do_not_rise_are_refused(thresholds: Thresholds) -> None:
    with pytest.raises(InvalidOptionError, match=r"rise from weak to moderate to strong"):
        measured_grades(hand_made_nuclei(MIXED), thresholds)


@pytest.mark.parametrize(
    ("corrections", "reason"),
    [
        ({9: 1}, "no nucleus 9: the image has 9, numbered from 0"),
        ({-1: 1}, "no nucleus -1"),
        ({0: 4}, "cannot be of class 4"),
        ({0: -2}, "cannot be of class -2"),
    ],
)
def test_a_correction_of_nothing_or_to_nothing_is_refused(corrections: dict[int, int], reason: str) -> None:
    with pytest.raises(InvalidOptionError, match=reason):
        check_corrections(corrections, 9)


def test_an_image_without_nuclei_has_no_classes() -> None:
    assert grades(hand_made_nuclei([]), Adjustments(regions=(LEFT_THIRD,))).tolist() == []
