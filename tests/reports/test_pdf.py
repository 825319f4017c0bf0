"""The PDF report: one or two pages that hold everything, in any alphabet."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results_by_hand import COMMENT, hand_made_result

from core.reports import pdf_page
from core.reports.content import OwnEntry, report_content
from core.reports.pdf import to_pdf
from core.types import Notice, Pictures, Result, RGBImage


def page_count(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


@pytest.fixture
def read_text(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Return a function from PDF bytes to their text in reading order."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")

    def read(pdf: bytes) -> str:
        path = tmp_path / "report.pdf"
        path.write_bytes(pdf)
        done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
        return " ".join(done.stdout.decode().split())

    return read


@pytest.mark.parametrize("virtual", [False, True])
@pytest.mark.parametrize("tiles_per_side", [1, 18])
def test_is_one_or_two_pages_and_small(ihc_image: RGBImage, virtual: bool, tiles_per_side: int) -> None:
    result = hand_made_result(ihc_image, virtual=virtual, tiles_per_side=tiles_per_side)
    pdf = to_pdf(report_content(result, OwnEntry("3+", COMMENT)), result.pictures)
    assert pdf.startswith(b"%PDF-")
    assert page_count(pdf) in (1, 2)
    assert len(pdf) < 1_000_000


def test_holds_every_statement(ihc_image: RGBImage, read_text) -> None:  # type: ignore[no-untyped-def]
    result = hand_made_result(ihc_image, virtual=True)
    text = read_text(to_pdf(report_content(result, OwnEntry("3+", COMMENT, "Dr. Kühn")), result.pictures))
    expected = [
        "HER2 report",
        "Präparat_42 µm – жук.png",
        "confidence 70 %",
        "Prediction set: 2+, 0",
        "Virtual IHC made from H&E: not real staining.",
        *(notice.message for notice in result.analysis.notices),
        "3+, differs from the model (2+) (Dr. Kühn)",
        COMMENT,
        "support for 2+",
        "DAB optical density",
        "c" * 64,
        "a" * 64,
        "coverage 0.9",
        "Research use only. Not for diagnosis.",
        "page 1 of 2",
        "page 2 of 2",
    ]
    assert [statement for statement in expected if statement not in text] == []


@pytest.mark.parametrize("shape", [(60, 2000), (2000, 60), (40, 40)])
def test_odd_shapes_stay_on_the_page(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    result = hand_made_result(noise)
    assert page_count(to_pdf(report_content(result), result.pictures)) in (1, 2)


def test_without_pictures_of_stain_or_network(ihc_image: RGBImage) -> None:
    result = hand_made_result(ihc_image)
    bare = Pictures(ihc_image, ihc_image)
    content = report_content(Result(replace(result.analysis, tiles=(), measurements=None), bare))
    assert page_count(to_pdf(content, bare)) in (1, 2)


def test_many_long_warnings_appear_in_full(ihc_image: RGBImage, read_text) -> None:  # type: ignore[no-untyped-def]
    result = hand_made_result(ihc_image)
    notices = tuple(Notice(f"n{n}", "warning", f"Number {n}: " + "the same words again " * 12) for n in range(15))
    content = report_content(Result(replace(result.analysis, notices=notices), result.pictures))
    text = read_text(to_pdf(content, result.pictures))
    assert all(" ".join(notice.message.split()) in text for notice in notices)


def test_draws_a_box_for_characters_no_font_has(ihc_image: RGBImage) -> None:
    result = hand_made_result(ihc_image, name="组织切片 \U0001f52c\u202e\u0007.png")
    pdf = to_pdf(report_content(result), result.pictures)
    assert page_count(pdf) in (1, 2)
    assert "组织切片".encode("utf-16-be").hex().encode() in pdf  # the document's title keeps the name


def test_falls_back_to_latin_1_without_a_font(
    ihc_image: RGBImage,
    monkeypatch: pytest.MonkeyPatch,
    read_text,  # type: ignore[no-untyped-def]
) -> None:
    monkeypatch.setattr(pdf_page, "find_font", lambda: None)
    result = hand_made_result(ihc_image)
    text = read_text(to_pdf(report_content(result, OwnEntry("2+", "Größe ≥ 10 %")), result.pictures))
    assert "Größe ? 10 %" in text
