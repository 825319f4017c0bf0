"""What a report says, before it is laid out."""

from dataclasses import replace

import pytest
from results_by_hand import hand_made_result

from core.labels import INSUFFICIENT, Marker
from core.reports.content import VIRTUAL_CODE, VIRTUAL_REMARK, OwnEntry, percent, readable_time, report_content
from core.types import Notice, Pictures, Result, RGBImage


def test_says_answer_confidence_and_what_else_it_could_be(ihc_image: RGBImage) -> None:
    content = report_content(hand_made_result(ihc_image))
    assert (content.answer_label, content.answer, content.meaning) == ("HER2 score", "2+", "equivocal")
    assert (content.confidence, content.alternatives) == ("confidence 70 %", "could also be 0")


def test_an_answer_that_excludes_nothing_is_undecided(ihc_image: RGBImage) -> None:
    scored = hand_made_result(ihc_image, outcome="0", virtual=True)
    open_set = replace(scored.analysis, prediction_set=("0", "1+", "2+", "3+"))
    assert report_content(Result(open_set, scored.pictures)).meaning == "undecided"


def test_lists_measurements_with_units(ihc_image: RGBImage) -> None:
    rows = {row.label: row.value for row in report_content(hand_made_result(ihc_image)).measurements}
    assert rows["DAB area"] == "14 % of tissue (OD > 0.15)"
    assert rows["Positive nuclei"] == "62 % of 312 counted"
    assert rows["Tiles scored"] == "4 (2+: 4)"
    assert rows["By measurement"].startswith("2+ (agrees)")


def test_provenance_names_hashes_scale_and_thresholds(ihc_image: RGBImage) -> None:
    rows = {row.label: row.value for row in report_content(hand_made_result(ihc_image)).provenance}
    assert rows["Image SHA-256"] == "c" * 64
    assert rows["Weights ihcnet"] == "a" * 64
    assert rows["Pixel size"] == "0.25 µm per pixel (from the file)"
    assert rows["Thresholds"] == "tissue 0.05, coverage 0.9"


@pytest.mark.parametrize(
    ("score", "agreement"),
    [("2+", "agrees with the model"), ("3+", "differs from the model (2+)"), (None, "")],
)
def test_compares_the_pathologists_own_score(ihc_image: RGBImage, score: str | None, agreement: str) -> None:
    assert report_content(hand_made_result(ihc_image), OwnEntry(score)).agreement == agreement


def test_says_when_nothing_was_scored(ihc_image: RGBImage) -> None:
    scored = hand_made_result(ihc_image)
    analysis = replace(
        scored.analysis, outcome=INSUFFICIENT, confidence=None, probabilities={}, prediction_set=(), measurements=None
    )
    content = report_content(Result(analysis, Pictures(ihc_image, ihc_image)))
    assert (content.answer, content.confidence, content.shares) == (INSUFFICIENT, "nothing was scored", ())
    assert content.heatmap_layer is None


def test_names_pr_by_status(ihc_image: RGBImage) -> None:
    scored = hand_made_result(ihc_image, marker=Marker.PR, outcome="PR+")
    content = report_content(Result(replace(scored.analysis, prediction_set=("PR+",)), scored.pictures))
    assert (content.title, content.answer_label, content.meaning) == ("PR report", "PR status", "positive")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.0004, "< 0.1 %"), (0.0042, "0.42 %"), (0.714, "71 %"), (0.9996, "99.9 %"), (1.0, "100 %")],
)
def test_writes_shares_with_two_significant_figures(share: float, text: str) -> None:
    assert percent(share) == text


def test_writes_times_in_utc() -> None:
    assert readable_time("2026-11-21T22:49:10+02:00") == "21 Nov 2026, 20:49 UTC"
    assert readable_time("yesterday") == "yesterday"


def test_a_virtual_stain_is_said_once_in_its_banner(ihc_image: RGBImage) -> None:
    drawn = hand_made_result(ihc_image, virtual=True)
    notices = (*drawn.analysis.notices, Notice(VIRTUAL_CODE, "warning", "Virtual: stain a section."))
    said = report_content(Result(replace(drawn.analysis, notices=notices), drawn.pictures))
    assert (said.virtual, said.banner) == (True, "Virtual: stain a section.")
    assert said.notices == drawn.analysis.notices
    assert report_content(drawn).banner == VIRTUAL_REMARK
    assert report_content(hand_made_result(ihc_image)).banner == ""
