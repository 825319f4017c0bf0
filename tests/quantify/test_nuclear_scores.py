"""Scores of graded nuclei with their intervals, and when a second person should read them."""

import time

import numpy as np
import pytest
from results_by_hand import hand_made_nuclei

from core.quantify.hot_spot import find_hot_spot
from core.quantify.scores import nuclear_scores, second_read
from core.types import Adjustments, Interval, Region, Thresholds

RNG = np.random.default_rng(11)
THIRDS = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3) * 40


def test_percentages_and_scores_follow_their_formulas() -> None:
    scores = nuclear_scores(hand_made_nuclei(RNG.permutation(THIRDS)))
    assert (scores.counted, scores.left_out, scores.corrected) == (400, 0, 0)
    assert (scores.weak, scores.moderate, scores.strong) == (30, 20, 10)
    assert scores.percent_positive.value == 60
    assert scores.h_score.value == 30 + 2 * 20 + 3 * 10
    assert (scores.allred_proportion, scores.allred_intensity, scores.allred) == (4, 2, 6)
    assert (scores.er, scores.pgr, scores.second_read) == ("positive", "positive", ())


def test_intervals_hold_their_value_and_are_the_same_every_time() -> None:
    nuclei = hand_made_nuclei(RNG.permutation(THIRDS), size=(2000, 2000))
    scores = nuclear_scores(nuclei)
    percent, h = scores.percent_positive, scores.h_score
    assert scores.fields == 16
    assert 50 < percent.low < percent.value < percent.high < 70
    assert h.low < h.value < h.high
    assert nuclear_scores(nuclei) == scores


def test_a_patchy_stain_has_a_wider_interval_than_an_even_one() -> None:
    even = nuclear_scores(hand_made_nuclei([0, 3] * 450, size=(2000, 2000))).percent_positive
    patchy = nuclear_scores(hand_made_nuclei([0] * 450 + [3] * 450, size=(2000, 2000))).percent_positive
    assert patchy.high - patchy.low > 5 * (even.high - even.low)


def test_no_nuclei_have_no_category() -> None:
    scores = nuclear_scores(hand_made_nuclei([]))
    assert (scores.counted, scores.percent_positive, scores.er, scores.pgr) == (0, Interval(0, 0, 0), "", "")
    assert scores.hot_spot is None
    assert scores.second_read == ("Only 0 nuclei count; a share needs at least 20: second read.",)


def test_thresholds_regions_and_corrections_change_the_scores_and_are_counted() -> None:
    nuclei = hand_made_nuclei((0, 1, 2, 3) * 25)  # 10 x 10
    left = Region(((0, 0), (320, 0), (320, 640), (0, 640)))
    changed = nuclear_scores(nuclei, Adjustments(Thresholds(0.4, 0.6, 0.7), (left,), {0: 3, 1: 0, 10: -1}))
    assert (changed.counted, changed.left_out) == (49, 51)
    assert changed.corrected == 2  # nucleus 1 was 0 by these thresholds already
    assert changed.percent_positive.value < nuclear_scores(nuclei).percent_positive.value


@pytest.mark.parametrize(
    ("interval", "reasons"),
    [
        (Interval(9, 6.1, 12.4), ("The interval 6.1-12.4 % crosses 10 %: second read.",)),
        (Interval(1, 0.4, 1.6), ("The interval 0.4-1.6 % crosses 1 %: second read.",)),
        (Interval(5, 0.4, 14), ("The interval 0.4-14.0 % crosses 1 % and 10 %: second read.",)),
        (Interval(1, 0.9, 1.0), ("The interval 0.9-1.0 % crosses 1 %: second read.",)),
        (Interval(1.5, 1.0, 10.0), ()),
        (Interval(12, 10.1, 14), ()),
        (Interval(10, 10, 10), ()),
        (Interval(0, 0, 0), ()),
    ],
)
def test_an_interval_across_a_cut_off_asks_for_a_second_reader(interval: Interval, reasons: tuple[str, ...]) -> None:
    assert second_read(interval, 200) == reasons


def test_few_nuclei_ask_for_a_second_reader() -> None:
    assert second_read(Interval(50, 50, 50), 19)[0].startswith("Only 19 nuclei")
    assert second_read(Interval(50, 50, 50), 20) == ()


def test_the_hot_spot_is_where_the_stained_nuclei_are() -> None:
    nuclei = hand_made_nuclei([0] * 2500, size=(4000, 4000))
    near = np.hypot(*(nuclei.centres - (1300, 2600)).T) < 900
    spot = find_hot_spot(nuclei.centres, near | (RNG.random(2500) < 0.05), 0.25)
    assert spot is not None
    assert np.hypot(spot.x - 1300, spot.y - 2600) < 300
    assert spot.radius * 0.25 == pytest.approx(225.7, abs=0.1)  # 0.16 mm2
    inside = np.hypot(*(nuclei.centres - (spot.x, spot.y)).T) <= spot.radius
    assert spot.counted == inside.sum()
    assert spot.percent > 95


def test_a_small_field_has_a_smaller_hot_spot_and_a_smaller_one_none() -> None:
    field = hand_made_nuclei([0, 0, 3] * 200, size=(1024, 1024))
    spot = find_hot_spot(field.centres, field.positive, field.mpp)
    assert spot is not None
    assert spot.counted >= 100
    assert spot.radius < 0.36 * 1024
    few = hand_made_nuclei([0, 0, 3] * 50)
    assert find_hot_spot(few.centres, few.positive, few.mpp) is None
    line = np.stack([np.arange(500.0), np.zeros(500)], axis=1).astype(np.float32)
    assert find_hot_spot(line, np.ones(500, np.bool_), 0.25) is None


def test_a_slider_can_follow_20_000_nuclei() -> None:
    nuclei = hand_made_nuclei(RNG.choice(4, 20_000), size=(5468, 5468))
    nuclear_scores(nuclei)
    started = time.process_time()  # of this process: other work on the machine does not count
    nuclear_scores(nuclei, Adjustments(Thresholds(0.25, 0.45, 0.7)))
    assert time.process_time() - started < 0.2
