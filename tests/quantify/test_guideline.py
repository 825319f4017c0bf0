"""The HER2 guideline, row by row and edge by edge."""

from itertools import product

import pytest

from core.errors import InvalidOptionError
from core.labels import Her2Score
from core.quantify.guideline import Her2Shares, her2, her2_score

JUST = 1e-9

ROWS = [
    # intense, moderate, faint, score
    (1.0, 0.0, 0.0, "3+"),
    (0.3, 0.7, 0.0, "3+"),
    (0.10 + JUST, 0.0, 0.0, "3+"),
    (0.10 + JUST, 0.0, 0.89, "3+"),
    (0.10, 0.0, 0.0, "2+"),
    (0.10, 0.90, 0.0, "2+"),
    (0.10, 0.0, 0.90, "2+"),
    (JUST, 0.0, 0.0, "2+"),
    (0.05, 0.05, 0.05, "2+"),
    (0.0, 1.0, 0.0, "2+"),
    (0.0, 0.10 + JUST, 0.0, "2+"),
    (0.0, 0.10 + JUST, 0.89, "2+"),
    (0.0, 0.0, 1.0, "1+"),
    (0.0, 0.0, 0.10 + JUST, "1+"),
    (0.0, 0.10, 0.20, "1+"),
    (0.0, JUST, 0.10 + JUST, "1+"),
    (0.0, 0.0, 0.10, "0"),
    (0.0, 0.0, JUST, "0"),
    (0.0, 0.0, 0.0, "0"),
    (0.0, 0.10, 0.0, None),
    (0.0, JUST, 0.0, None),
    (0.0, 0.05, 0.05, None),
    (0.0, 0.10, 0.10, None),
]


@pytest.mark.parametrize(("intense", "moderate", "faint", "score"), ROWS)
def test_every_row_and_edge(intense: float, moderate: float, faint: float, score: str | None) -> None:
    reading = her2(Her2Shares(intense, moderate, faint))
    assert reading.score == score
    assert reading.rule.startswith(f"{score}: " if score else "Not defined: ")


@pytest.mark.parametrize("cells", [10, 30, 70, 90, 110, 1230])
def test_exactly_a_tenth_of_any_number_of_cells_does_not_exceed_10_percent(cells: int) -> None:
    tenth = (cells // 10) / cells
    assert her2(Her2Shares(tenth, 0.0, 0.0)).score is Her2Score.TWO
    assert her2(Her2Shares(0.0, tenth, 0.0)).score is None
    assert her2(Her2Shares(0.0, 0.0, tenth)).score is Her2Score.ZERO


def test_more_intense_staining_never_lowers_the_score() -> None:
    steps = [0.0, 0.02, 0.1, 0.11, 0.3]
    for moderate, faint in product(steps, steps):
        scores = [her2_score(intense_complete=i, moderate_complete=moderate, faint_incomplete=faint) for i in steps]
        assert scores == sorted(scores)


def test_reading_carries_distances_and_source() -> None:
    reading = her2(Her2Shares(0.0, 0.14, 0.3))
    assert reading.rule == "2+: complete, weak to moderate staining in 14.0 % of the tumour cells, more than 10 %."
    assert reading.distances == pytest.approx(
        {
            "intense complete > 10 %": -10.0,
            "intense complete > 0 %": 0.0,
            "weak to moderate complete > 10 %": 4.0,
            "weak to moderate complete > 0 %": 14.0,
            "faint incomplete > 10 %": 20.0,
        }
    )
    assert "ASCO/CAP 2018" in reading.source


@pytest.mark.parametrize(
    ("shares", "words"),
    [((0.1004, 0, 0), "10.04 %"), ((0.0002, 0, 0), "0.02 %"), ((0.1, 0, 0), "10.0 %"), ((0.123, 0, 0), "12.3 %")],
)
def test_words_do_not_round_over_a_cut_off(shares: tuple[float, float, float], words: str) -> None:
    assert words in her2(Her2Shares(*shares)).rule


@pytest.mark.parametrize(
    ("shares", "secondary"),
    [
        ((0.5, 0.0, 0.0), ""),
        ((0.0, 0.5, 0.0), "Secondary: HER2-low if ISH is negative"),
        ((0.0, 0.0, 0.5), "Secondary: HER2-low"),
        ((0.0, 0.0, 0.1), "Secondary: HER2-ultralow"),
        ((0.0, 0.0, JUST), "Secondary: HER2-ultralow"),
        ((0.0, 0.0, 0.0), ""),
        ((0.0, 0.1, 0.0), ""),
    ],
)
def test_treatment_categories_are_secondary(shares: tuple[float, float, float], secondary: str) -> None:
    assert her2(Her2Shares(*shares)).secondary == secondary


@pytest.mark.parametrize("shares", [(1.1, 0, 0), (-0.01, 0, 0), (0.6, 0.5, 0), (float("nan"), 0, 0), (34.0, 0, 0)])
def test_what_cannot_be_shares_is_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidOptionError, match="between 0 and 100 %"):
        Her2Shares(*shares)


@pytest.mark.parametrize(
    ("intense", "moderate", "faint", "expected"),
    [
        (0.11, 0, 0, "3+"),
        (0.10, 0, 0, "2+"),
        (0, 0.11, 0, "2+"),
        (0, 0.1, 0.05, "1+"),
        (0, 0.05, 0.04, "0"),
        (0, 0, 0.11, "1+"),
        (0, 0, 0.1, "0"),
    ],
)
def test_simulated_tissue_always_has_a_score(intense: float, moderate: float, faint: float, expected: str) -> None:
    assert her2_score(intense_complete=intense, moderate_complete=moderate, faint_incomplete=faint) == expected
