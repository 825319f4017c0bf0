"""Every remark says what it means for the score and what to do."""

import pytest

from core.labels import Marker, Stain, StainSource
from core.notices import likeness_notices, outcome_notices, scale_notices, stain_notices
from core.quality.novelty import Likeness
from core.types import Measurements, StainCall


def call(stain: Stain, *, unsure: bool = False, overruled: bool = False, ihc: float = 0.9) -> StainCall:
    """A stain recognised as IHC with the given probability."""
    return StainCall(stain, {"ihc": ihc, "he": 1 - ihc, "neither": 0.0}, unsure, overruled)


def measured(label: str) -> Measurements:
    """Measurements whose rule says `label`."""
    return Measurements(1000, 0.2, 10.0, 0.1, 0.3, 0.2, rule_label=label, rule_text="weak complete membranes in 14 %")


@pytest.mark.parametrize(
    ("given", "source", "codes"),
    [
        (call(Stain.IHC), StainSource.REAL, []),
        (call(Stain.IHC, unsure=True), StainSource.REAL, ["stain-unsure"]),
        (call(Stain.NEITHER), StainSource.REAL, ["neither-stain"]),
        (call(Stain.HE, overruled=True), StainSource.VIRTUAL, ["stain-overruled", "virtual-stain"]),
        (call(Stain.IHC, overruled=True), StainSource.REAL, []),
    ],
)
def test_remarks_on_the_stain(given: StainCall, source: StainSource, codes: list[str]) -> None:
    assert [notice.code for notice in stain_notices(given, source)] == codes


@pytest.mark.parametrize(("mpp", "codes"), [(None, ["scale-unknown"]), (0.25, []), (1.0, []), (1.8, ["coarse"])])
def test_remarks_on_the_scale(mpp: float | None, codes: list[str]) -> None:
    assert [notice.code for notice in scale_notices(mpp, 0.25)] == codes


@pytest.mark.parametrize(
    ("outcome", "rule", "codes"),
    [
        ("3+", "3+", []),
        ("3+", "2+", []),
        ("3+", "1+", ["disagreement"]),
        ("2+", "2+", ["equivocal"]),
        ("2+", "0", ["equivocal", "disagreement"]),
    ],
)
def test_her2_disagrees_when_more_than_one_grade_apart(outcome: str, rule: str, codes: list[str]) -> None:
    assert [notice.code for notice in outcome_notices(Marker.HER2, outcome, measured(rule))] == codes


def test_pr_disagrees_when_the_status_differs() -> None:
    assert [notice.code for notice in outcome_notices(Marker.PR, "PR+", measured("PR-"))] == ["disagreement"]
    assert outcome_notices(Marker.PR, "PR+", measured("PR+")) == ()


def test_a_disagreement_names_both_answers() -> None:
    (notice,) = outcome_notices(Marker.HER2, "3+", measured("1+"))
    assert "3+" in notice.message and "1+" in notice.message and "14 %" in notice.message


def test_a_foreign_image_is_warned_of_with_what_to_do() -> None:
    (notice,) = likeness_notices(Likeness(8.25, 4.7, 0.95))
    assert (notice.code, notice.level) == ("unlike-training", "warning")
    assert "distance 8.2; 95% of real unseen images lie below 4.7" in notice.message
    assert "rely on your own reading" in notice.message


def test_an_image_at_home_needs_no_remark() -> None:
    assert likeness_notices(Likeness(2.0, 4.7, 0.95)) == likeness_notices(None) == ()


def test_what_could_not_be_told_is_said() -> None:
    (notice,) = likeness_notices(Likeness(0.0, float("inf"), 0.0, "x.npz is missing."))
    assert (notice.code, notice.level) == ("likeness-unknown", "info") and "x.npz is missing." in notice.message
