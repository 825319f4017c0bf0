"""The ZIP of one result, and of many."""

import csv
import io
import json
import zipfile

import cv2
import numpy as np
from results_by_hand import hand_made_result

from core.reports.bundle import results_zip, to_zip
from core.reports.content import OwnEntry
from core.types import RGBImage


def opened(data: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def test_holds_pictures_report_data_and_original(ihc_image: RGBImage) -> None:
    archive = opened(to_zip(hand_made_result(ihc_image), b"the upload"))
    names = set(archive.namelist())
    assert {"report.pdf", "report.json", "tiles.csv", "README.txt", "pictures/image.png"} <= names
    assert {"pictures/pseudo-color.png", "pictures/dab.png", "pictures/hematoxylin.png"} <= names
    assert {f"pictures/gradcam-{layer}.png" for layer in ("conv0", "denseblock1", "denseblock4")} <= names
    assert archive.read("original/Präparat_42 µm – жук.png") == b"the upload"


def test_pictures_are_full_size_with_a_colour_bar_below(ihc_image: RGBImage) -> None:
    archive = opened(to_zip(hand_made_result(ihc_image), None))
    image = cv2.imdecode(np.frombuffer(archive.read("pictures/image.png"), np.uint8), cv2.IMREAD_COLOR)
    pseudo = cv2.imdecode(np.frombuffer(archive.read("pictures/pseudo-color.png"), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(image[..., ::-1], ihc_image)
    assert pseudo.shape[0] > 512
    assert pseudo.shape[1] == 512


def test_marks_everything_that_rests_on_a_virtual_stain(ihc_image: RGBImage) -> None:
    archive = opened(to_zip(hand_made_result(ihc_image, virtual=True), None))
    pictures = [name for name in archive.namelist() if name.startswith("pictures/")]
    unmarked = [name for name in pictures if not name.startswith("pictures/virtual-")]
    assert unmarked == ["pictures/image.png"]
    assert b"not real staining" in archive.read("pictures/virtual-ihc.png")
    assert "not real staining" in archive.read("README.txt").decode()


def test_report_json_carries_the_pathologists_entry(ihc_image: RGBImage) -> None:
    archive = opened(to_zip(hand_made_result(ihc_image), None, own=OwnEntry("3+", "sure", "A")))
    report = json.loads(archive.read("report.json"))
    assert report["score"] == "2+"
    assert report["own"] == {"score": "3+", "comment": "sure", "author": "A", "recorded": ""}


def test_tiles_table_has_one_row_a_tile(ihc_image: RGBImage) -> None:
    archive = opened(to_zip(hand_made_result(ihc_image), None))
    rows = list(csv.DictReader(io.StringIO(archive.read("tiles.csv").decode("utf-8-sig"))))
    assert [(row["x"], row["y"]) for row in rows] == [("0", "0"), ("256", "0"), ("0", "256"), ("256", "256")]
    assert rows[0]["class"] == "2+"


def test_many_results_become_one_pdf_each_and_a_table(ihc_image: RGBImage) -> None:
    results = [hand_made_result(ihc_image, name="=1+1.png"), hand_made_result(ihc_image, name="../../b.png")]
    archive = opened(results_zip(results))
    assert archive.namelist() == ["001-=1+1.pdf", "002-b.pdf", "results.csv"]
    rows = list(csv.DictReader(io.StringIO(archive.read("results.csv").decode("utf-8-sig"))))
    assert rows[0]["file"] == "'=1+1.png"  # not a formula
    assert rows[0]["outcome"] == "2+"
