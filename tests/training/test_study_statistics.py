"""What a study says of its classifiers: gains, intervals, tests, tables, on numbers that are known."""

from typing import Any

import numpy as np
import pytest

from core.training.config import StudyConfig
from core.training.study.plan import REAL, Arm
from core.training.study.results import evaluate_study
from core.training.study.statistics import Answer, compare, holm, sign_flip
from core.training.study.table import as_csv, as_markdown

CASES = 12


def answers(arm: Arm, *, right: float, seeds: int = 3, folds: int = 3, spread: float = 0.0) -> list[Answer]:
    """Classifiers that get this share of the PR+ tiles right, and 9 of 10 of PR-, in every case."""
    rng = np.random.default_rng(7)
    found = []
    for seed in range(seeds):
        for fold in range(folds):
            confusions = {}
            for case in range(fold, CASES, folds):
                hits = round(100 * (right + spread * rng.normal()))
                confusions[f"case{case}"] = np.array([[90, 10], [100 - hits, hits]])
            found.append(Answer(arm, fold, seed, confusions, real=400, synthetic=round(400 * arm.ratio)))
    return found


def test_a_gain_that_is_the_same_everywhere_has_no_width():
    real, better = compare([*answers(REAL, right=0.7), *answers(Arm(1.0), right=0.8)], 2)

    assert (real.balanced.value, better.balanced.value) == (pytest.approx(0.8), pytest.approx(0.85))
    assert [gain.value for gain in better.gains] == [pytest.approx(0.0), pytest.approx(0.1)]
    assert (better.balanced_gain.low, better.balanced_gain.high) == (pytest.approx(0.05), pytest.approx(0.05))
    assert (better.pairs, better.better, better.differing, better.synthetic) == (9, 9, 9, 400)
    assert better.p == pytest.approx(2 / 512)
    assert better.p_cases is not None and better.p_cases < 0.005
    assert (real.p, real.p_holm) == (None, None)


def test_the_same_answers_are_no_gain():
    _, same = compare([*answers(REAL, right=0.7), *answers(Arm(1.0), right=0.7)], 2)

    assert (same.balanced_gain.value, same.p, same.p_cases, same.differing) == (0.0, 1.0, 1.0, 0)


def test_intervals_widen_with_what_cases_differ_by():
    _, narrow = compare([*answers(REAL, right=0.7), *answers(Arm(1.0), right=0.75, spread=0.02)], 2)
    _, wide = compare([*answers(REAL, right=0.7), *answers(Arm(1.0), right=0.75, spread=0.1)], 2)

    first, second = (gain.balanced_gain.high - gain.balanced_gain.low for gain in (narrow, wide))
    assert 0 < first < second / 2


def test_only_pairs_of_the_same_fold_and_seed_are_compared():
    some = [answer for answer in answers(Arm(1.0), right=0.9) if answer.seed == 0 and answer.fold < 2]
    real, gain = compare([*answers(REAL, right=0.7), *some], 2)

    assert (real.pairs, gain.pairs) == (9, 2)
    assert gain.balanced_gain.value == pytest.approx(0.1)
    assert gain.p == pytest.approx(2 / 4)  # two pairs can't say more


def test_nothing_is_compared_without_real_images():
    assert compare(answers(Arm(1.0), right=0.9), 2) == ()


@pytest.mark.parametrize(
    ("differences", "p"), [((1.0, 1.0, 1.0), 0.25), ((1.0, -1.0), 1.0), ((3.0, 1.0, -1.0, 2.0), 6 / 16)]
)
def test_signs_of_pairs_are_tried_exactly(differences: tuple[float, ...], p: float):
    assert sign_flip(np.array(differences)) == pytest.approx(p)


def test_many_pairs_are_sampled():
    assert sign_flip(np.ones(30)) < 0.001
    assert sign_flip(np.tile([1.0, -1.0], 15)) == pytest.approx(1.0)


def test_holm_corrects_the_smallest_most_and_keeps_the_order():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def lines(*arms: tuple[Arm, float], spread: float = 0.0) -> list[dict[str, Any]]:
    """The lines that such classifiers leave."""
    found = []
    for arm, right in arms:
        for answer in answers(arm, right=right, spread=spread):
            found.append(
                {
                    "kind": "cell",
                    "key": f"{arm.name}/{answer.fold}/{answer.seed}",
                    "share": 1.0,
                    "fold": answer.fold,
                    "seed": answer.seed,
                    "ratio": arm.ratio,
                    "filtered": arm.filtered,
                    "real": answer.real,
                    "synthetic": answer.synthetic,
                    "classes": ["PR-", "PR+"],
                    "confusions": {case: counts.tolist() for case, counts in answer.confusions.items()},
                }
            )
    return found


@pytest.mark.parametrize(
    ("right", "words"),
    [
        ((0.8, 0.6), "It depends: +1 helped, +1 filtered made it worse."),
        ((0.8, 0.9), "Yes: +1 and +1 filtered helped."),
        ((0.7, 0.6), "No: +1 filtered made it worse, and nothing helped."),
        ((0.7, 0.7), "No gain could be shown"),
    ],
)
def test_the_answer_says_what_intervals_and_tests_allow(right: tuple[float, float], words: str):
    given = lines((REAL, 0.7), (Arm(1.0), right[0]), (Arm(1.0, filtered=True), right[1]))
    found = evaluate_study(StudyConfig(), given)

    assert found["shares"][0]["answer"].startswith(words)
    assert "of 60 parts are done" in found["notes"][0]


def test_the_table_is_written_for_a_readme_and_for_a_spreadsheet():
    found = evaluate_study(StudyConfig(), lines((REAL, 0.7), (Arm(2.0), 0.8)))

    rows = as_markdown(found).splitlines()
    assert rows[0] == "100% of the real training tiles. Yes: +2 helped."
    assert rows[4].startswith("| real alone | 0 | 0.800 |  | 0.900 |")
    assert rows[5].startswith("| +2 as generated | 800 | 0.850 | +5.0 [+5.0, +5.0] | 0.900 | 0.0 [0.0, 0.0] |")
    assert as_csv(found).decode().splitlines()[2].startswith("1.0,+2 as generated,9,400.0,800.0,9,9,0.85")
