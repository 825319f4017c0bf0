"""Steps are timed and reported under one name."""

import pytest

from core.errors import CancelledError
from core.stopwatch import Stopwatch


def test_reports_steps_and_their_parts() -> None:
    seen: list[tuple[str, int, int]] = []
    clock = Stopwatch(lambda *event: seen.append(event), steps=2)
    with clock.step("reading"):
        pass
    with clock.step("scoring") as part:
        part("tiles", 12, 64)
    assert seen == [
        ("reading", 0, 2),
        ("reading", 1, 2),
        ("scoring", 1, 2),
        ("scoring: 12 of 64 tiles", 1, 2),
        ("scoring", 2, 2),
    ]
    assert list(clock.seconds) == ["reading", "scoring"]


def test_a_single_part_is_not_counted() -> None:
    seen: list[str] = []
    with Stopwatch(lambda step, _done, _total: seen.append(step), steps=1).step("staining virtually") as part:
        part("tiles", 0, 1)
    assert set(seen) == {"staining virtually"}


def test_a_step_that_is_cancelled_is_not_timed() -> None:
    clock = Stopwatch(lambda _step, _done, _total: None, steps=1)
    with pytest.raises(CancelledError), clock.step("scoring"):
        raise CancelledError("Cancelled.")
    assert clock.seconds == {}
