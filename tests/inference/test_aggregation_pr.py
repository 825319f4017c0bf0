"""From PR tiles to one status."""

import numpy as np
import pytest

from core.inference.aggregation_pr import aggregate_pr
from core.inference.calibration import numbers_of
from core.labels import INSUFFICIENT
from core.types import Measurements


def _tiles(*positive: float) -> tuple[np.ndarray, np.ndarray]:
    probs = np.array([(1 - p, p) for p in positive], np.float32).reshape(-1, 2)
    return probs, np.ones(len(probs), np.float32)


def _measured(percent: float | None, counted: int | None) -> Measurements:
    return Measurements(1000, 0.2, 0.0, 0.0, 0.0, 0.0, positive_nuclei_percent=percent, nuclei_counted=counted)


def test_one_tile_decides_its_image() -> None:
    answer = aggregate_pr(*_tiles(0.8), {}, None)
    assert (answer.outcome, answer.rule_label) == ("PR+", None)
    assert answer.probabilities == pytest.approx((0.2, 0.8))


@pytest.mark.parametrize(("stained", "outcome"), [(0, "PR-"), (1, "PR-"), (2, "PR+"), (20, "PR+")])
def test_an_image_needs_a_tenth_of_its_tiles(stained: int, outcome: str) -> None:
    answer = aggregate_pr(*_tiles(*[0.99] * stained, *[0.005] * (20 - stained)), {}, None)
    assert answer.outcome == outcome
    assert "2 of 20" in answer.rule


def test_many_hints_count_although_no_tile_is_called_positive() -> None:
    assert aggregate_pr(*_tiles(*[0.4] * 40), {}, None).outcome == "PR+"


def test_an_image_is_never_quite_certain() -> None:
    assert max(aggregate_pr(*_tiles(*[1.0] * 50), {}, None).probabilities) == pytest.approx(0.99)


def test_blank_tiles_do_not_vote() -> None:
    probs, tissue = _tiles(0.9, 0.1, 0.1)
    assert aggregate_pr(probs, np.array([0.5, 0.0, 0.01], np.float32), {}, None).outcome == "PR+"


def test_each_status_has_its_own_threshold() -> None:
    own = numbers_of({"calibration": {"conformal_threshold": 0.9, "conformal_thresholds": {"PR-": 0.2}}}, "calibration")
    assert aggregate_pr(*_tiles(0.7), own, None).prediction_set == ("PR+",)
    assert aggregate_pr(*_tiles(0.1), own, None).prediction_set == ("PR-", "PR+")


def test_without_tissue_nothing_is_scored() -> None:
    probs, tissue = _tiles(0.9)
    answer = aggregate_pr(probs, tissue * 0, {}, None)
    assert (answer.outcome, answer.probabilities) == (INSUFFICIENT, ())


@pytest.mark.parametrize(("percent", "label"), [(0.0, "PR-"), (0.9, "PR-"), (1.0, "PR+"), (60.0, "PR+")])
def test_the_guideline_is_read_off_the_counted_nuclei(percent: float, label: str) -> None:
    assert aggregate_pr(*_tiles(0.9), {}, _measured(percent, 400)).rule_label == label


def test_too_few_nuclei_give_no_percentage() -> None:
    answer = aggregate_pr(*_tiles(0.9), {}, _measured(50.0, 6))
    assert answer.rule_label is None
    assert "Only 6 nuclei" in answer.rule_text


def test_neither_status_is_excluded_when_tiles_and_nuclei_disagree() -> None:
    answer = aggregate_pr(*_tiles(*[0.99] * 10), {}, _measured(0.0, 400))
    assert (answer.outcome, answer.rule_label) == ("PR+", "PR-")
    assert answer.prediction_set == ("PR+", "PR-")


def test_the_conformal_threshold_widens_the_set() -> None:
    assert aggregate_pr(*_tiles(0.7), {"conformal_threshold": 0.8}, None).prediction_set == ("PR+", "PR-")
    assert aggregate_pr(*_tiles(0.7), {"conformal_threshold": 0.5}, None).prediction_set == ("PR+",)
