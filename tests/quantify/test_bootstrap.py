"""Bootstrap over fields: repeatable, as wide as fields differ, quick."""

import time

import numpy as np
import pytest

from core.quantify.bootstrap import fields_of, interval, sums_by_field
from core.types import Interval


def test_one_field_has_no_width() -> None:
    assert interval(np.array([300.0]), np.array([10.0]), 30.0) == Interval(30.0, 30.0, 30.0)


def test_equal_fields_have_no_width() -> None:
    found = interval(np.full(12, 500.0), np.full(12, 10.0), 50.0)
    assert (found.low, found.high) == pytest.approx((50.0, 50.0))


def test_fields_that_differ_widen_the_interval() -> None:
    denominators = np.full(40, 50.0)
    alike, apart = (
        interval(50 * percents, denominators, float(percents.mean()))
        for percents in (np.tile([28.0, 32.0], 20), np.tile([0.0, 60.0], 20))
    )
    assert alike.low < 30 < alike.high
    assert apart.high - apart.low > 10 * (alike.high - alike.low)


def test_width_is_that_of_the_mean_of_fields() -> None:
    rng = np.random.default_rng(3)
    percents = rng.normal(40, 10, 100)
    found = interval(percents * 100, np.full(100, 100.0), float(percents.mean()))
    assert found.high - found.low == pytest.approx(2 * 1.96 * percents.std() / 10, rel=0.1)


def test_the_same_fields_give_the_same_interval() -> None:
    numbers = np.arange(30.0)
    assert interval(numbers, numbers + 1, 0.9, 4) == interval(numbers, numbers + 1, 0.9, 4)


def test_fields_without_cells_do_not_divide_by_zero() -> None:
    found = interval(np.array([0.0, 0.0, 100.0]), np.array([0.0, 0.0, 1.0]), 100.0)
    assert found == Interval(100.0, 100.0, 100.0)
    assert interval(np.zeros(3), np.zeros(3), 0.0) == Interval(0.0, 0.0, 0.0)


def test_a_core_is_divided_into_fields_of_250_um() -> None:
    centres = np.random.default_rng(0).uniform(0, 5468, (20000, 2))
    fields = fields_of(centres, 0.25)
    assert fields.max() + 1 == 25  # 1367 um are five and a half fields a side
    assert sums_by_field(np.ones(20000), fields).sum() == 20000


def test_a_small_image_still_has_several_fields() -> None:
    centres = np.random.default_rng(0).uniform(0, 1024, (500, 2))
    assert fields_of(centres, 0.25).max() + 1 == 16
    assert fields_of(centres[:1], 0.25).tolist() == [0]
    assert fields_of(centres[:0], 0.25).shape == (0,)


def test_a_large_slide_takes_milliseconds() -> None:
    numbers = np.random.default_rng(1).uniform(0, 1, 400)
    interval(numbers, numbers, 1.0)
    start = time.perf_counter()
    interval(numbers, numbers + 1, 0.5)
    assert time.perf_counter() - start < 0.05
