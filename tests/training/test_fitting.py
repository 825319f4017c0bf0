"""Temperature and prediction sets from validation tiles."""

import numpy as np
import pytest
from scipy.special import softmax

from core.training.judging.fitting import ROOM, Fitted, conformal_threshold, fit_calibration, fit_temperature
from core.training.judging.held_out import HeldOut


def answers(logits: np.ndarray, labels: list[int], cases: list[str] | None = None) -> HeldOut:
    """Held-out tiles, each its own case unless said otherwise."""
    names = cases or [f"case {index}" for index in range(len(labels))]
    classes = tuple("abcd"[: logits.shape[1]])
    return HeldOut(logits.astype(np.float32), np.array(labels), np.array(names), classes)


def drawn(count: int, *, temperature: float, seed: int = 0) -> HeldOut:
    """Tiles whose labels follow the softmax of their logits at some temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (count, 2))
    labels = (rng.random(count) < softmax(logits / temperature, axis=1)[:, 1]).astype(int)
    return answers(logits, labels.tolist())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(temperature: float) -> None:
    assert fit_temperature(drawn(4000, temperature=temperature)) == pytest.approx(temperature, rel=0.15)


def test_without_tiles_nothing_changes() -> None:
    fitted = fit_calibration(answers(np.zeros((0, 2)), []), coverage=0.9)
    assert fitted.temperature == 1.0
    assert fitted.thresholds == {"a": 1.0, "b": 1.0}


def test_three_right_tiles_do_not_make_the_network_certain() -> None:
    assert fit_temperature(answers(np.array([[2.0, 0], [0, 2], [2, 0]]), [0, 1, 0])) > 0.4


def test_a_rare_class_weighs_as_much_as_a_common_one() -> None:
    common, rare = np.tile([[3.0, 0.0]], (200, 1)), np.tile([[3.0, 0.0]], (10, 1))  # the rare ones are all wrong
    assert fit_temperature(answers(np.concatenate([common, rare]), [0] * 200 + [1] * 10)) > 5


def test_the_threshold_is_the_ranked_misfit() -> None:
    misfits = np.arange(1, 20) / 100  # 19 tiles: rank ceil(20 * 0.9) = 18
    assert conformal_threshold(misfits, None, coverage=0.9) == (pytest.approx(0.18 + ROOM), "")


def test_too_few_tiles_keep_the_class_in_every_set() -> None:
    threshold, note = conformal_threshold(np.full(8, 0.1), None, coverage=0.9)
    assert threshold == 1.0
    assert note.startswith("8 validation tiles are too few for 90% coverage (9 are needed)")


def test_a_case_with_many_tiles_weighs_as_much_as_one_with_few() -> None:
    misfits = np.concatenate([np.full(500, 0.9), np.arange(1, 20) / 100])
    cases = np.array(["big"] * 500 + [f"case {index}" for index in range(19)])
    threshold, note = conformal_threshold(misfits, cases, coverage=0.9)
    assert (threshold, note) == (pytest.approx(0.19 + ROOM), "")  # 19 of 20 cases, of 21 with the new one


def test_of_too_few_cases_the_worst_decides_and_it_is_said() -> None:
    misfits = np.arange(1, 20) / 100
    threshold, note = conformal_threshold(misfits, np.array(["one"] * 10 + ["two"] * 9), coverage=0.9)
    assert threshold == pytest.approx(0.19 + ROOM)
    assert "come from 2 cases" in note


@pytest.mark.parametrize("seed", range(3))
def test_sets_hold_the_stated_share_of_new_tiles_of_each_class(seed: int) -> None:
    fitted = fit_calibration(drawn(1000, temperature=1.5, seed=seed), coverage=0.9)
    new = drawn(4000, temperature=1.5, seed=seed + 100)
    sets = fitted.sets(new.probs(fitted.temperature), new.classes)
    for index in range(2):
        assert 0.87 <= sets[new.labels == index, index].mean() <= 0.93


def test_the_sidecar_carries_the_loosest_threshold_for_all() -> None:
    sidecar = Fitted(1.5, {"PR-": 0.2, "PR+": 0.4}, 0.9, ()).sidecar()
    assert (sidecar.conformal_threshold, sidecar.conformal_thresholds) == (0.4, {"PR-": 0.2, "PR+": 0.4})
