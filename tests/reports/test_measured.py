"""Measured nuclei and membranes in reports: words, files, and what a person changed beside the original."""

import base64
import csv
import io
import json
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest
from results_by_hand import hand_made_membrane_scores, hand_made_nuclei, hand_made_result

from core.labels import Marker, NucleiMethod
from core.quantify.adjusted import Adjusted, adjusted_scores
from core.quantify.nuclei_file import decode_nuclei
from core.reports.answer import encode_json, to_json
from core.reports.bundle import results_zip, to_zip
from core.reports.content import report_content
from core.reports.measured import changes, guideline_rows, membrane_rows, nuclear_rows
from core.reports.pdf import to_pdf
from core.types import Adjustments, GuidelineReading, Region, Result, RGBImage, Thresholds

MIXED = (0, 0, 1, 2, 3) * 20
LEFT = Region(((0.0, 0.0), (256.0, 0.0), (256.0, 512.0), (0.0, 512.0)))
CHANGED = Adjustments(Thresholds(0.2, 0.4, 0.6), (LEFT, replace(LEFT, exclude=True)), {0: 3})


@pytest.fixture
def measured(ihc_image: RGBImage) -> Result:
    """A PR result with 100 nuclei."""
    nuclei = hand_made_nuclei(MIXED, size=(512, 512), mpp=0.5)
    return hand_made_result(ihc_image, marker=Marker.PR, outcome="PR+", nuclei=nuclei)


@pytest.fixture
def adjusted(measured: Result) -> Adjusted:
    """Its figures in the left half, with nucleus 0 corrected."""
    assert measured.nuclei is not None
    return adjusted_scores(measured.nuclei, Adjustments(regions=(LEFT,), corrections={0: 3}), "2026-11-22T10:00:00Z")


def rows_of(rows: list[object]) -> dict[str, str]:
    return {row.label: row.value for row in rows}  # type: ignore[attr-defined]


def test_nuclear_scores_are_said_with_their_intervals(measured: Result) -> None:
    rows = rows_of(list(report_content(measured).measurements))
    assert rows["Nuclei found"] == "100 by the learned detector (0.5 µm per pixel)"
    assert rows["Nuclei counted"] == "100"
    assert rows["Positive nuclei"].startswith("60.0 % (95 % interval ")
    assert rows["Positive nuclei"].endswith(" %, 16 fields)")
    assert rows["Intensity"] == "20.0 % weak, 20.0 % moderate, 20.0 % strong"
    assert rows["H-score"].startswith("120 of 300 (95 % interval ")
    assert rows["Allred score"] == "6 of 8 (proportion 4, intensity 2)"
    assert rows["Category"] == "PgR positive; the same share would be ER positive (ASCO/CAP 2020)"
    assert "Second read" not in rows


def test_one_field_has_no_interval(measured: Result) -> None:
    scores = measured.analysis.measurements.nuclear  # type: ignore[union-attr]
    assert scores is not None
    rows = rows_of(nuclear_rows(replace(scores, fields=1)))
    assert rows["Positive nuclei"] == "60.0 % (one field only: no interval)"


def test_where_nothing_was_found_only_that_is_said(ihc_image: RGBImage) -> None:
    result = hand_made_result(ihc_image, marker=Marker.PR, outcome="PR+", nuclei=hand_made_nuclei([]))
    rows = rows_of(list(report_content(result).measurements))
    assert rows["Nuclei counted"] == "0"
    assert "Positive nuclei" not in rows


def test_the_size_of_estimated_pixels_and_the_method_are_said(measured: Result) -> None:
    assert measured.nuclei is not None
    nuclei = replace(measured.nuclei, mpp_estimated=True, method=NucleiMethod.CLASSICAL)
    rows = rows_of(list(report_content(replace(measured, nuclei=nuclei)).measurements))
    expected = "100 by image processing, without a network (0.5 µm per pixel, estimated from their size)"
    assert rows["Nuclei found"] == expected


def test_membranes_are_said_with_rule_distance_and_source() -> None:
    rows = rows_of(membrane_rows(hand_made_membrane_scores()))
    assert rows == {
        "Cells measured": "200, 3 left out",
        "Intense complete": "14.0 % (95 % interval 8.0-20.0 %, 9 fields)",
        "Weak to moderate complete": "30.0 % (95 % interval 24.0-36.0 %, 9 fields)",
        "Faint incomplete": "20.0 % (95 % interval 15.0-25.0 %, 9 fields)",
        "No membrane stain": "36.0 % (95 % interval 30.0-42.0 %, 9 fields)",
        "Guideline, measured": "3+: complete, intense staining in 14.0 % of the tumour cells, more than 10 %.",
        "From the cut-offs": "intense complete > 10 %: +4.0 points",
        "Source": "ASCO/CAP 2018, affirmed 2023",
        "Second read": "The interval 8.0-20.0 % crosses 10 %: second read.",
    }


def test_a_gap_of_the_guideline_stays_a_gap_and_too_little_tissue_has_no_score() -> None:
    gap = GuidelineReading(None, "Not defined: weak complete in 4 %.", {}, "ASCO/CAP", "Secondary: HER2-low")
    rows = rows_of(guideline_rows(gap))
    assert rows["Guideline, measured"] == "Not defined: weak complete in 4 %."
    assert rows["Secondary"] == "HER2-low"
    nothing = replace(hand_made_membrane_scores(), reading=None, insufficient="Only 12 cells.")
    assert rows_of(membrane_rows(nothing))["Guideline, measured"] == "Only 12 cells."


@pytest.mark.parametrize(
    ("adjustments", "text"),
    [
        (Adjustments(), "nothing"),
        (Adjustments(corrections={1: 2}), "1 nucleus corrected"),
        (
            CHANGED,
            "weak from 0.20 OD, moderate from 0.40, strong from 0.60 OD; 1 region drawn; 1 region excluded; "
            "1 nucleus corrected",
        ),
        (Adjustments(Thresholds(None, 0.5, 0.6)), "weak as detected, moderate from 0.50, strong from 0.60 OD"),
    ],
)
def test_changes_are_said_in_one_line(adjustments: Adjustments, text: str) -> None:
    assert changes(adjustments) == text


def test_adjusted_figures_stand_beside_the_original(measured: Result, adjusted: Adjusted) -> None:
    content = report_content(measured, None, adjusted)
    assert content.measurements == report_content(measured).measurements
    assert content.adjusted_label == "Adjusted by hand, 22 Nov 2026, 10:00 UTC"
    rows = rows_of(list(content.adjusted))
    assert rows["Changed"] == "1 region drawn; 1 nucleus corrected"
    assert rows["Nuclei counted"] == "50, 50 left out"


def test_the_pdf_holds_outlines_intervals_and_adjusted_figures(measured: Result, adjusted: Adjusted) -> None:
    plain = to_pdf(report_content(replace(measured, nuclei=None)), measured.pictures)
    full = to_pdf(report_content(measured, None, adjusted), measured.pictures)
    assert full.startswith(b"%PDF")
    assert full.count(b"/Subtype /Image") == plain.count(b"/Subtype /Image") + 1


def test_the_answer_carries_all_that_was_measured(measured: Result, adjusted: Adjusted) -> None:
    answer = json.loads(encode_json(to_json(measured, pictures=False, adjusted=adjusted)))
    found = answer["quantification"]
    assert found["nuclei"] == {"found": 100, "method": "learned", "mpp": 0.5, "mpp_estimated": False}
    assert set(found["nuclear"]["percent_positive"]) == {"value", "low", "high"}
    assert (found["nuclear"]["allred"], found["membrane"]) == (6, None)
    assert found["adjusted"]["adjustments"]["corrections"] == {"0": 3}
    assert found["adjusted"]["adjustments"]["regions"][0]["points"][1] == [256, 0]
    assert found["adjusted"]["nuclear"]["counted"] == 50
    assert json.loads(encode_json(to_json(measured, pictures=False)))["quantification"]["adjusted"] is None


def test_the_answer_carries_membranes_and_the_reading(ihc_image: RGBImage) -> None:
    result = hand_made_result(ihc_image, nuclei=hand_made_nuclei(MIXED, patterns=True))
    membrane = json.loads(encode_json(to_json(result, pictures=False)))["quantification"]["membrane"]
    assert membrane["intense_complete"] == {"value": 14.0, "low": 8.0, "high": 20.0}
    assert membrane["reading"]["score"] == "3+"
    assert membrane["reading"]["distances"] == {"intense complete > 10 %": 4.0}


def test_a_raw_answer_carries_the_nuclei(measured: Result) -> None:
    found = decode_nuclei(base64.b64decode(to_json(measured, raw=True)["nuclei"]))
    assert measured.nuclei is not None
    assert np.array_equal(found.dab_od, measured.nuclei.dab_od)
    assert to_json(replace(measured, nuclei=None), raw=True)["nuclei"] is None


def test_the_zip_holds_table_geojson_and_outlines_that_agree(measured: Result, adjusted: Adjusted) -> None:
    archive = zipfile.ZipFile(io.BytesIO(to_zip(measured, None, adjusted=adjusted)))
    rows = list(csv.DictReader(io.StringIO(archive.read("nuclei.csv").decode("utf-8-sig"))))
    features = json.loads(archive.read("nuclei.geojson"))["features"]
    counted = [row for row in rows if row["counted"] == "yes"]
    detections = [item for item in features if item["properties"]["objectType"] == "detection"]
    assert (len(rows), len(counted), len(detections)) == (100, 50, 50)
    picture = cv2.imdecode(np.frombuffer(archive.read("pictures/nuclei.png"), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (512, 512, 3)
    assert "nuclei.geojson" in archive.read("README.txt").decode()
    assert json.loads(archive.read("report.json"))["quantification"]["adjusted"]["nuclear"]["counted"] == 50


def test_without_nuclei_the_zip_has_no_files_of_them(ihc_image: RGBImage) -> None:
    names = zipfile.ZipFile(io.BytesIO(to_zip(hand_made_result(ihc_image), None))).namelist()
    assert not [name for name in names if "nuclei" in name]


def test_the_table_of_many_images_has_intervals_and_the_guideline(measured: Result, ihc_image: RGBImage) -> None:
    her2 = hand_made_result(ihc_image, nuclei=hand_made_nuclei(MIXED, patterns=True))
    archive = zipfile.ZipFile(io.BytesIO(results_zip([measured, her2, hand_made_result(ihc_image)])))
    rows = list(csv.DictReader(io.StringIO(archive.read("results.csv").decode("utf-8-sig"))))
    assert [row["cells_counted"] for row in rows] == ["100", "200", ""]
    assert [row["guideline"] for row in rows] == ["", "3+", ""]
    assert float(rows[0]["positive_low"]) < 60 < float(rows[0]["positive_high"])
    assert rows[1]["intense_complete_percent"] == "14.00"
