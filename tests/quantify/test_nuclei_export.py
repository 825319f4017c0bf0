"""Nuclei for other programs: counts agree with the scores, and QuPath finds what it expects."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from results_by_hand import RADIUS_PX, hand_made_nuclei

from core.quantify.export import nuclei_csv, nuclei_geojson
from core.quantify.membrane import membrane_scores
from core.quantify.nuclei import find_nuclei
from core.quantify.regions import area, checked_region
from core.quantify.scores import nuclear_scores
from core.types import Adjustments, Region, Thresholds

MIXED = (0, 1, 2, 3, 0, 1, 2, 3, 0)  # 3 x 3
LEFT = Region(((0, 0), (320, 0), (320, 640), (0, 640)))
CORNER_OUT = Region(((0, 0), (200, 0), (200, 200), (0, 200)), exclude=True)
ADJUSTED = Adjustments(Thresholds(0.2, 0.4, 0.6), (LEFT, CORNER_OUT), {3: 0, 6: -1, 8: 2})


def rows_of(text: str) -> list[dict[str, str]]:
    """The rows of a CSV text with its byte order mark."""
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def features_of(data: bytes, kind: str) -> list[dict[str, Any]]:
    """Features of one kind of object."""
    collection = json.loads(data)
    assert collection["type"] == "FeatureCollection"
    return [item for item in collection["features"] if item["properties"]["objectType"] == kind]


def test_the_table_has_a_row_for_every_nucleus_with_units_in_its_header() -> None:
    nuclei = hand_made_nuclei(MIXED)
    rows = rows_of(nuclei_csv(nuclei))
    assert [row["class"] for row in rows] == ["0", "1+", "2+", "3+", "0", "1+", "2+", "3+", "0"]
    assert rows[1] == {
        "id": "1",
        "x_px": "320.00",
        "y_px": "106.67",
        "x_um": "80.000",
        "y_um": "26.667",
        "area_um2": "12.57",
        "dab_od": "0.3000",
        "hematoxylin_od": "0.5000",
        "class": "1+",
        "original_class": "1+",
        "corrected": "no",
        "in_region": "yes",
        "counted": "yes",
        "confidence": "0.900",
    }


def test_the_table_shows_what_was_corrected_and_what_does_not_count() -> None:
    rows = rows_of(nuclei_csv(hand_made_nuclei(MIXED), ADJUSTED))
    assert [row["in_region"] for row in rows] == ["no", "no", "no", "yes", "no", "no", "yes", "no", "no"]
    assert [row["counted"] for row in rows] == ["no", "no", "no", "yes", "no", "no", "no", "no", "no"]
    assert [rows[3][name] for name in ("class", "original_class", "corrected")] == ["0", "3+", "yes"]
    assert [rows[6][name] for name in ("class", "original_class", "corrected")] == ["not counted", "2+", "yes"]
    assert [rows[8][name] for name in ("class", "original_class", "corrected")] == ["2+", "0", "yes"]


@pytest.mark.parametrize("adjustments", [Adjustments(), ADJUSTED, Adjustments(Thresholds(0.4, 0.6, 0.7))])
def test_both_files_count_as_the_scores_do(adjustments: Adjustments) -> None:
    nuclei = hand_made_nuclei(MIXED * 30)
    scores = nuclear_scores(nuclei, adjustments)
    counted = Counter(row["class"] for row in rows_of(nuclei_csv(nuclei, adjustments)) if row["counted"] == "yes")
    detections = features_of(nuclei_geojson(nuclei, adjustments), "detection")
    drawn = Counter(item["properties"]["classification"]["name"] for item in detections)
    assert counted.total() == drawn.total() == scores.counted
    for name, share in (("1+", scores.weak), ("2+", scores.moderate), ("3+", scores.strong)):
        assert counted[name] == drawn[name] == pytest.approx(share / 100 * scores.counted)
    assert counted["0"] == drawn["Negative"]


@pytest.mark.parametrize("adjustments", [Adjustments(), Adjustments(regions=(LEFT,), corrections={0: 3, 3: -1})])
def test_both_files_count_membrane_patterns_as_the_scores_do(adjustments: Adjustments) -> None:
    nuclei = hand_made_nuclei(MIXED * 30, patterns=True)
    scores = membrane_scores(nuclei, adjustments)
    rows = rows_of(nuclei_csv(nuclei, adjustments))
    counted = Counter(row["class"] for row in rows if row["counted"] == "yes")
    detections = features_of(nuclei_geojson(nuclei, adjustments), "detection")
    drawn = Counter(item["properties"]["classification"]["name"] for item in detections)
    assert counted == drawn
    assert counted.total() == scores.cells
    assert 100 * counted["intense complete"] / scores.cells == pytest.approx(scores.intense_complete.value)
    assert 100 * counted["none"] / scores.cells == pytest.approx(scores.none.value)
    assert (rows[1]["membrane_completeness"], rows[1]["membrane_width_um"]) == ("0.4000", "0.60")
    assert rows[4]["membrane_width_um"] == ""  # not stained: no width
    unstained = next(item for item in detections if item["properties"]["classification"]["name"] == "none")
    assert "Membrane: Completeness" in unstained["properties"]["measurements"]
    assert "Membrane: Width µm" not in unstained["properties"]["measurements"]


def test_a_detection_is_a_closed_outline_with_class_colour_and_measurements() -> None:
    nuclei = hand_made_nuclei(MIXED)
    third = features_of(nuclei_geojson(nuclei), "detection")[3]
    ring = np.array(third["geometry"]["coordinates"][0])
    assert third["geometry"]["type"] == "Polygon"
    assert (ring[0] == ring[-1]).all()
    assert ring[:-1].mean(axis=0) == pytest.approx(nuclei.centres[3] + 0.5, abs=0.01)  # counted from the corner
    assert area(ring[:-1]) == pytest.approx(np.pi * RADIUS_PX**2, rel=0.03)
    assert third["properties"] == {
        "objectType": "detection",
        "name": "3",
        "classification": {"name": "3+", "color": [213, 94, 0]},
        "measurements": {
            "Nucleus: Area µm^2": 12.5664,
            "Nucleus: DAB OD mean": 0.8,
            "Nucleus: Hematoxylin OD mean": 0.5,
            "Detection probability": 0.9,
            "Class corrected by hand": 0.0,
        },
    }


def test_regions_are_annotations_of_classes_that_are_no_result() -> None:
    annotations = features_of(nuclei_geojson(hand_made_nuclei(MIXED), ADJUSTED), "annotation")
    assert [item["properties"]["classification"]["name"] for item in annotations] == ["Region*", "Ignore*"]
    assert annotations[0]["geometry"]["coordinates"] == [[[0, 0], [320, 0], [320, 640], [0, 640], [0, 0]]]


def test_an_image_without_nuclei_gives_a_header_and_an_empty_collection() -> None:
    nothing = hand_made_nuclei([])
    assert rows_of(nuclei_csv(nothing)) == []
    assert nuclei_csv(nothing).startswith("\ufeffid,x_px,y_px")
    assert json.loads(nuclei_geojson(nothing)) == {"type": "FeatureCollection", "features": []}


def test_nuclei_of_a_real_field_are_exported_as_they_are_scored(shared_data: Path) -> None:
    path = sorted((shared_data / "ki67_points" / "bcdata").glob("*.png"))[0]
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    nuclei = find_nuclei(image, None, 0.25)
    height, width = image.shape[:2]
    left = [(0, 0), (width / 2, 0), (width / 2, height), (0, height)]
    half = Adjustments(regions=(checked_region(left, (width, height)),))
    scores = nuclear_scores(nuclei, half)
    detections = features_of(nuclei_geojson(nuclei, half), "detection")
    assert 10 < len(detections) == scores.counted < len(nuclei)
    middles = np.array([np.mean(item["geometry"]["coordinates"][0][:-1], axis=0) for item in detections])
    assert middles[:, 0].max() < width / 2 + 5
    counted = Counter(row["class"] for row in rows_of(nuclei_csv(nuclei, half)) if row["counted"] == "yes")
    assert counted.total() == scores.counted
    assert 100 * (1 - counted["0"] / scores.counted) == pytest.approx(scores.percent_positive.value)
