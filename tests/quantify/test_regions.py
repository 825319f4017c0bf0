"""Regions drawn by hand: what is refused in words, what is cut off, and which nuclei lie inside."""

import math

import numpy as np
import pytest
from results_by_hand import hand_made_nuclei

from core.errors import InvalidOptionError
from core.quantify.regions import MAX_CORNERS, area, checked_region, inside, selected
from core.types import Region

SIZE = (200, 100)
LEFT_HALF = Region(((0, 0), (320, 0), (320, 640), (0, 640)))
TOP_HALF_OUT = Region(((0, 0), (640, 0), (640, 320), (0, 320)), exclude=True)


def test_a_loop_on_the_image_stays_as_it_was_drawn() -> None:
    corners = ((10.0, 10.0), (90.0, 20.0), (50.5, 80.0))
    assert checked_region(corners, SIZE) == Region(corners)
    assert checked_region([*corners, corners[0]], SIZE, exclude=True) == Region(corners, exclude=True)


def test_what_lies_beyond_the_image_is_cut_off() -> None:
    region = checked_region([(-50, -50), (100, -50), (100, 50), (-50, 50)], SIZE)
    assert set(region.points) == {(0, 0), (100, 0), (100, 50), (0, 50)}
    everything = checked_region([(-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6)], SIZE)
    assert area(np.array(everything.points)) == SIZE[0] * SIZE[1]


def test_cutting_twice_changes_nothing() -> None:
    comb = [(10, -20), (150, -20), (150, 50), (120, 50), (120, -10), (60, -10), (60, 50), (10, 50)]
    once = checked_region(comb, SIZE)
    assert checked_region(once.points, SIZE) == once
    assert area(np.array(once.points)) == 30 * 50 + 50 * 50


@pytest.mark.parametrize(
    ("corners", "reason"),
    [
        ([], "0 different corners; at least 3"),
        ([(1, 1), (5, 5)], "2 different corners"),
        ([(1, 1), (5, 5), (5, 5), (1, 1)], "2 different corners"),
        ([(10, 10), (50, 50), (90, 90)], "no area"),
        ([(10, 10), (90, 90), (90, 10), (10, 90)], "crosses itself"),
        ([(0, 0), (90, 0), (90, 90), (45, -20), (0, 90)], "crosses itself"),
        ([(300, 10), (350, 10), (350, 60)], "outside the image, which is 200 x 100"),
        ([(-9, -9), (-1, -9), (-1, -1)], "outside the image"),
        ([(0, 0), (math.nan, 5), (5, 5)], "not a place on the image"),
        ([(0, 0), (math.inf, 5), (5, 5)], "not a place on the image"),
        ([(0, 0), (5,), (5, 5)], "not a pair of numbers"),
        ([(0, 0), ("here", 5), (5, 5)], "not a pair of numbers"),
        ([(k % 90, k / 90) for k in range(MAX_CORNERS + 1)], f"at most {MAX_CORNERS}"),
    ],
)
def test_what_is_no_area_of_the_image_is_refused_in_words(corners: list[tuple[float, ...]], reason: str) -> None:
    with pytest.raises(InvalidOptionError, match=reason):
        checked_region(corners, SIZE)


def test_without_regions_every_nucleus_counts() -> None:
    assert selected(hand_made_nuclei([0] * 9), ()).all()
    assert selected(hand_made_nuclei([]), (LEFT_HALF,)).shape == (0,)


def test_only_what_is_drawn_counts_and_what_is_excluded_does_not() -> None:
    nuclei = hand_made_nuclei([0] * 16)  # 4 x 4
    x, y = nuclei.centres.T
    assert (selected(nuclei, (LEFT_HALF,)) == (x < 320)).all()
    assert (selected(nuclei, (TOP_HALF_OUT,)) == (y > 320)).all()
    assert (selected(nuclei, (LEFT_HALF, TOP_HALF_OUT)) == ((x < 320) & (y > 320))).all()


def test_two_regions_count_together() -> None:
    right = Region(((480, 0), (640, 0), (640, 640), (480, 640)))
    nuclei = hand_made_nuclei([0] * 16)
    assert selected(nuclei, (LEFT_HALF, right)).sum() == 12


def test_a_region_of_the_whole_image_leaves_nothing_out() -> None:
    nuclei = hand_made_nuclei([0] * 400, size=(40, 40))
    shifted = nuclei.centres - nuclei.centres.min() - 0.5  # the first centre at the very edge
    everything = checked_region([(0, 0), (40, 0), (40, 40), (0, 40)], (40, 40))
    assert inside(shifted.astype(np.float64) + 0.5, np.array(everything.points)).all()


def test_points_in_a_ragged_outline_agree_with_counting_crossings() -> None:
    rng = np.random.default_rng(5)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 300))
    corners = 500 + rng.uniform(100, 450, (300, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = rng.uniform(0, 1000, (2000, 2))
    expected = np.zeros(len(points), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        between = (points[:, 1] >= min(y0, y1)) & (points[:, 1] < max(y0, y1))
        expected ^= between & (points[:, 0] < x0 + (points[:, 1] - y0) * (x1 - x0) / (y1 - y0))
    assert (inside(points, corners) == expected).all()
