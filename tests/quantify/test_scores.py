"""Formulas of nuclear scores, as tables."""

import math

import pytest

from core.errors import InvalidOptionError
from core.quantify.scores import ReceptorStatus, allred, allred_proportion, er_status, h_score, pgr_status


@pytest.mark.parametrize(
    ("percent", "score"),
    [(0, 0), (0.2, 1), (0.99, 1), (1, 2), (10, 2), (10.5, 2), (11, 3), (33, 3), (34, 4), (66, 4), (67, 5), (100, 5)],
)
def test_allred_proportion_follows_the_published_classes(percent: float, score: int) -> None:
    assert allred_proportion(percent) == score


@pytest.mark.parametrize(
    ("percent", "intensity", "total", "positive"),
    [(0, 0, 0, False), (0, 3, 0, False), (0.5, 1, 2, False), (0.5, 2, 3, True), (5, 1, 3, True), (80, 3, 8, True)],
)
def test_allred_total_is_positive_from_three(percent: float, intensity: int, total: int, positive: bool) -> None:
    score = allred(percent, intensity)
    assert (score.total, score.positive) == (total, positive)


@pytest.mark.parametrize(
    ("weak", "moderate", "strong", "score"), [(0, 0, 0, 0), (100, 0, 0, 100), (20, 30, 10, 110), (0, 0, 100, 300)]
)
def test_h_score_weighs_intensities(weak: float, moderate: float, strong: float, score: float) -> None:
    assert h_score(weak=weak, moderate=moderate, strong=strong) == pytest.approx(score)


@pytest.mark.parametrize(
    ("percent", "er", "pgr"),
    [
        (0, ReceptorStatus.NEGATIVE, ReceptorStatus.NEGATIVE),
        (0.9, ReceptorStatus.NEGATIVE, ReceptorStatus.NEGATIVE),
        (1, ReceptorStatus.LOW_POSITIVE, ReceptorStatus.POSITIVE),
        (10, ReceptorStatus.LOW_POSITIVE, ReceptorStatus.POSITIVE),
        (11, ReceptorStatus.POSITIVE, ReceptorStatus.POSITIVE),
    ],
)
def test_receptor_status_follows_the_guideline(percent: float, er: ReceptorStatus, pgr: ReceptorStatus) -> None:
    assert (er_status(percent), pgr_status(percent)) == (er, pgr)


@pytest.mark.parametrize("percent", [-1.0, 101.0, math.nan])
def test_a_share_outside_0_to_100_is_refused(percent: float) -> None:
    with pytest.raises(InvalidOptionError, match="between 0 and 100"):
        pgr_status(percent)


def test_shares_that_sum_to_more_than_100_are_refused() -> None:
    with pytest.raises(InvalidOptionError):
        h_score(weak=60, moderate=60, strong=0)
