"""Figures of answers, against values worked out by hand and by the literature."""

from statistics import NormalDist

import numpy as np
import pytest

from core.reading.agreement import accuracy_of, kappa_between, kappas, most_mistaken, share_of
from core.reading.round import Answer, Question

TRUTH = {f"r{n}": "real" for n in range(10)} | {f"s{n}": "synthetic" for n in range(10)}


def answers(real_right: int, synthetic_right: int) -> list[Answer]:
    """Ten real and ten synthetic images, so many of which were told."""
    return [Answer(f"r{n}", "real" if n < real_right else "synthetic") for n in range(10)] + [
        Answer(f"s{n}", "synthetic" if n < synthetic_right else "real") for n in range(10)
    ]


def test_a_share_has_the_published_wilson_interval() -> None:
    share = share_of(81, 263)  # Newcombe 1998, table I
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert share_of(0, 0).high == 1.0


def test_accuracy_sensitivity_and_d_prime_of_one_reader() -> None:
    found = accuracy_of(answers(7, 9), TRUTH)
    assert (found.right.hits, found.right.count, found.found.value, found.spared.value) == (16, 20, 0.9, 0.7)
    normal = NormalDist()
    assert found.d_prime == pytest.approx(normal.inv_cdf(9.5 / 11) - normal.inv_cdf(3.5 / 11))


def test_guessing_has_no_d_prime_and_one_kind_alone_none_at_all() -> None:
    assert accuracy_of(answers(5, 5), TRUTH).d_prime == pytest.approx(0)
    assert accuracy_of([Answer("r1", "real")], TRUTH).d_prime is None


def test_the_most_often_mistaken_come_first() -> None:
    found = most_mistaken(answers(9, 10) + answers(9, 9) + [Answer("unknown", "real")], TRUTH)
    assert [(each.item_id, each.wrong, each.answers) for each in found] == [("r9", 2, 2), ("s9", 1, 2)]


def scores(text: str) -> dict[str, str]:
    """HER2 scores by image."""
    return {str(place): score if score == "0" else f"{score}+" for place, score in enumerate(text)}


def test_kappa_of_equal_opposite_and_hand_made_scores() -> None:
    equal = kappa_between(Question.HER2, ("a", scores("0123")), ("b", scores("0123")))
    assert equal is not None and (equal.value, equal.agree.value, equal.low) == (1.0, 1.0, None)
    opposite = kappa_between(Question.HER2, ("a", scores("0033")), ("b", scores("3300")))
    assert opposite is not None and opposite.value == pytest.approx(-1)
    # squared steps: observed 1 in 4 images, expected by the margins 32 in 16
    near = kappa_between(Question.HER2, ("a", scores("0123")), ("b", scores("0122")))
    assert near is not None and near.value == pytest.approx(1 - (1 / 4) / (32 / 16))


def test_pr_is_weighed_plainly_and_has_a_bootstrap_interval() -> None:
    rng = np.random.default_rng(0)
    first = {str(n): "PR+" if rng.random() < 0.5 else "PR-" for n in range(60)}
    second = {n: value if rng.random() < 0.8 else "PR+" for n, value in first.items()}
    found = kappa_between(Question.PR, ("a", first), ("b", second))
    assert found is not None and found.low is not None and found.high is not None
    assert 0 < found.low < found.value < found.high < 1
    assert found == kappa_between(Question.PR, ("a", first), ("b", second))


def test_readers_are_compared_with_each_other_and_with_the_model() -> None:
    found = kappas(
        Question.HER2, {"ada": scores("0123"), "bob": scores("0122")}, {"model": scores("01"), "nobody": {"x": "3+"}}
    )
    assert [(each.first, each.second, each.images) for each in found] == [
        ("ada", "bob", 4),
        ("ada", "model", 2),
        ("bob", "model", 2),
    ]
