"""Agreement and its intervals, against figures computed by hand."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

from core.training.judging.metrics import (
    Interval,
    accuracy_of,
    balanced_accuracy_of,
    case_interval,
    confusion_matrix,
    kappa_of,
    mean_recall_interval,
    quadratic_kappa,
    wider,
    wilson,
)
from core.training.judging.reliability import Bin, reliability

TRUTH = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 3])
ANSWERS = np.array([0, 0, 1, 1, 2, 2, 2, 3, 3, 0])


def test_confusion_counts_truth_in_rows() -> None:
    expected = [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 2, 1], [1, 0, 0, 1]]
    assert confusion_matrix(TRUTH, ANSWERS, 4).tolist() == expected


def test_figures_are_those_of_scikit_learn() -> None:
    confusion = confusion_matrix(TRUTH, ANSWERS, 4).astype(float)
    assert accuracy_of(confusion) == 0.6
    assert balanced_accuracy_of(confusion) == pytest.approx(balanced_accuracy_score(TRUTH, ANSWERS))
    assert kappa_of(confusion, quadratic=False) == pytest.approx(cohen_kappa_score(TRUTH, ANSWERS))
    weighted = cohen_kappa_score(TRUTH, ANSWERS, weights="quadratic")
    assert kappa_of(confusion, quadratic=True) == pytest.approx(weighted) == quadratic_kappa(TRUTH, ANSWERS)


def test_balanced_accuracy_leaves_out_classes_that_do_not_occur() -> None:
    assert balanced_accuracy_of(confusion_matrix(np.array([0, 0, 1]), np.array([0, 2, 1]), 3).astype(float)) == 0.75


def test_one_wrong_case_of_many_tiles_widens_the_interval() -> None:
    truth = np.zeros(100, int)
    wrong = np.arange(100) < 20
    answers = np.where(wrong, 1, 0)
    clustered = np.array([f"case {index // 20}" for index in range(100)])
    spread = np.arange(100).astype(str)
    by_case = case_interval(truth, answers, clustered, 2, accuracy_of)
    by_tile = case_interval(truth, answers, spread, 2, accuracy_of)
    assert by_case.value == by_tile.value == 0.8
    assert by_case.low <= 0.4 < 0.7 < by_tile.low
    assert by_tile.high < 0.9 < by_case.high == 1.0


def test_right_answers_throughout_do_not_make_certainty() -> None:
    found = mean_recall_interval(np.array([[10, 0], [0, 10]]))
    assert found == Interval(1.0, pytest.approx(1 - (1 - wilson(10, 10)[0]) / 2**0.5), 1.0)


def test_the_wider_of_two_intervals_covers_both() -> None:
    assert wider(Interval(0.5, 0.3, 0.6), Interval(0.1, 0.4, 0.9)) == Interval(0.5, 0.3, 0.9)


def test_calibration_error_is_the_weighted_distance_of_the_bins() -> None:
    probs = np.array([[0.95, 0.05]] * 3 + [[0.35, 0.65]])
    found = reliability(probs, np.array([0, 0, 1, 1]))
    assert [(each.confidence, each.accuracy, each.count) for each in found.bins] == [
        (pytest.approx(0.65), 1.0, 1),
        (pytest.approx(0.95), pytest.approx(2 / 3), 3),
    ]
    assert found.ece == pytest.approx((0.35 + 3 * (0.95 - 2 / 3)) / 4)


def test_certain_right_answers_have_no_calibration_error() -> None:
    assert reliability(np.array([[1.0, 0.0]]), np.array([0])).bins == (Bin(1.0, 1.0, 1),)
