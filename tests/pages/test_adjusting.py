"""Changes to a measurement: taken from the viewer, undone, redone, said in words."""

import numpy as np
import pytest
from nuclei_by_hand import SIZE, hand_made_nuclei

from core.types import Adjustments, Region, Thresholds
from pages.ui.adjusting import Adjusting, summary

SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100]]


def message(*events: dict, client: str = "tab", of: str = "one") -> dict:
    """What the viewer sends: all events that were not answered yet, numbered."""
    return {"id": of, "client": client, "list": [{"n": place + 1, **event} for place, event in enumerate(events)]}


def taken(*events: dict) -> Adjusting:
    """The state after these events."""
    adjusting = Adjusting()
    adjusting.take(message(*events), "one", hand_made_nuclei(), SIZE)
    return adjusting


def test_takes_a_region_and_a_correction():
    adjusting = taken(
        {"kind": "region", "points": SQUARE, "exclude": True}, {"kind": "correct", "nucleus": 3, "to": -1}
    )

    [region] = adjusting.now.regions
    assert region.exclude and set(region.points) == {(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)}
    assert adjusting.now.corrections == {3: -1}


def test_an_event_that_comes_twice_counts_once():
    adjusting, events = Adjusting(), [{"kind": "region", "points": SQUARE}, {"kind": "region", "points": SQUARE}]
    adjusting.take(message(events[0]), "one", hand_made_nuclei(), SIZE)
    adjusting.take(message(*events), "one", hand_made_nuclei(), SIZE)

    assert len(adjusting.now.regions) == 2
    assert adjusting.taken == {"tab": 2}


def test_events_about_another_picture_are_passed_over():
    adjusting = Adjusting()
    adjusting.take(message({"kind": "region", "points": SQUARE}, of="two"), "one", hand_made_nuclei(), SIZE)

    assert not adjusting.changed


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"kind": "region", "points": [[0, 0], [5, 5]]}, "at least 3"),
        ({"kind": "region", "points": [[0, 0], [50, 50], [50, 0], [0, 50]]}, "crosses itself"),
        ({"kind": "region", "points": [[900, 900], [990, 900], [990, 990]]}, "outside the image"),
        ({"kind": "region", "points": "nonsense"}, "pair of numbers"),
        ({"kind": "correct", "nucleus": 99_999, "to": 1}, "no nucleus"),
        ({"kind": "correct", "nucleus": 1, "to": 7}, "class 7"),
        ({"kind": "correct", "nucleus": None, "to": 1}, "not complete"),
    ],
)
def test_refuses_what_cannot_be(event: dict, words: str):
    adjusting = taken(event)

    assert words in adjusting.problem
    assert not adjusting.changed


@pytest.mark.parametrize("nonsense", [None, 7, "text", [], {"id": "one"}, {"id": "one", "list": [3, {"n": "x"}]}])
def test_nonsense_changes_nothing(nonsense: object):
    adjusting = Adjusting()
    adjusting.take(nonsense, "one", hand_made_nuclei(), SIZE)

    assert not adjusting.changed


def test_undo_and_redo_go_through_all_kinds_of_changes():
    adjusting = taken({"kind": "region", "points": SQUARE}, {"kind": "correct", "nucleus": 3, "to": 2})
    adjusting.set_thresholds(weak=None, moderate=0.5, strong=0.6, moved="moderate")
    final = adjusting.now

    for _ in range(3):
        adjusting.undo()
    assert adjusting.now == Adjustments()
    for _ in range(3):
        adjusting.redo()
    assert adjusting.now == final


def test_a_new_change_forgets_what_was_undone():
    adjusting = taken({"kind": "region", "points": SQUARE}, {"kind": "undo"})
    adjusting.set_thresholds(weak=None, moderate=0.5, strong=0.6, moved="moderate")
    adjusting.redo()

    assert adjusting.now == Adjustments(thresholds=Thresholds(moderate=0.5))


def test_reset_can_be_undone():
    adjusting = taken({"kind": "correct", "nucleus": 3, "to": 2})
    adjusting.reset()
    assert not adjusting.changed
    adjusting.undo()
    assert adjusting.now.corrections == {3: 2}


def test_a_region_is_removed_by_its_place():
    adjusting = taken(
        {"kind": "region", "points": SQUARE},
        {"kind": "region", "points": SQUARE, "exclude": True},
        {"kind": "remove", "region": 0},
    )

    assert [region.exclude for region in adjusting.now.regions] == [True]


def test_a_correction_is_taken_back():
    adjusting = taken({"kind": "correct", "nucleus": 3, "to": 2}, {"kind": "correct", "nucleus": 3, "to": None})

    assert adjusting.now.corrections == {}


@pytest.mark.parametrize(
    ("moved", "value", "expected"),
    [
        ("moderate", 0.8, Thresholds(0.2, 0.8, 0.81)),
        ("strong", 0.1, Thresholds(0.08, 0.09, 0.1)),
        ("weak", 0.7, Thresholds(0.7, 0.71, 0.72)),
        ("weak", 0.3, Thresholds(0.3, 0.4, 0.6)),
        ("strong", 0.01, Thresholds(0.01, 0.02, 0.03)),
        ("weak", 1.5, Thresholds(1.48, 1.49, 1.5)),
    ],
)
def test_thresholds_push_each_other_so_that_they_rise(moved: str, value: float, expected: Thresholds):
    adjusting = Adjusting()
    adjusting.set_thresholds(**({"weak": 0.2, "moderate": 0.4, "strong": 0.6} | {moved: value}), moved=moved)

    assert adjusting.now.thresholds == expected


def test_without_a_threshold_of_weak_the_lowest_is_that_of_moderate():
    adjusting = Adjusting()
    adjusting.set_thresholds(weak=None, moderate=0.4, strong=0.01, moved="strong")

    assert adjusting.now.thresholds == Thresholds(None, 0.01, 0.02)


def test_says_what_was_changed():
    region = Region(((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)))
    changes = Adjustments(Thresholds(weak=0.25), (region,), {1: 2, 2: 2, 3: -1})

    assert summary(changes) == "1 region, 3 corrections, weak from 0.25 OD"
    assert summary(Adjustments()) == ""


def test_what_is_stored_is_the_start():
    stored = Adjustments(corrections={1: 2})
    adjusting = Adjusting.of(stored)

    assert adjusting.changed and not adjusting.unsaved
    adjusting.reset()
    assert adjusting.unsaved


def test_nuclei_by_hand_are_graded_as_they_say():
    nuclei = hand_made_nuclei()

    assert np.bincount(nuclei.positive).tolist() == [60, 40]
