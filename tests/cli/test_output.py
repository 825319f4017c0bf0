"""What `analyze` writes for each result."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from results_by_hand import hand_made_nuclei, hand_made_result

from core.cli.output import Files, Outputs
from core.errors import InvalidOptionError
from core.labels import Marker
from core.types import Result


@pytest.fixture(scope="module")
def result() -> Result:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return hand_made_result(noise, name="field.png", virtual=True)


@pytest.fixture(scope="module")
def measured() -> Result:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    nuclei = hand_made_nuclei((0, 0, 1, 2, 3) * 20, size=(64, 64), mpp=4.0)
    return hand_made_result(noise, name="field.png", marker=Marker.PR, outcome="PR+", nuclei=nuclei)


def outputs(*, as_json: bool = False, folder: Path | None = None, several: bool, **files: Path) -> Outputs:
    return Outputs(as_json=as_json, files=Files(**files), folder=folder, several=several)


def test_prints_the_answer_and_every_warning(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    outputs(several=False).take(result, b"")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "field.png: HER2 score 2+ (equivocal, confidence 70 %, could also be 0)"
    assert lines[1] == "  warning: Virtual IHC made from H&E: not real staining."
    assert len(lines) == 2 + len(result.analysis.notices)


def test_prints_one_json_object_a_line(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    writer = outputs(as_json=True, several=True)
    writer.take(result, b"")
    writer.take(result, b"")
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["score"] for answer in found] == ["2+", "2+"]


def test_images_of_one_name_do_not_overwrite_each_other(result: Result, tmp_path: Path) -> None:
    writer = outputs(report=tmp_path / "r.pdf", folder=tmp_path / "out", several=True)
    writer.take(result, b"first")
    writer.take(result, b"second")
    writer.finish()
    assert sorted(path.name for path in tmp_path.glob("*.pdf")) == ["r-field-2.pdf", "r-field.pdf"]
    assert (tmp_path / "out" / "field" / "original" / "field.png").read_bytes() == b"first"
    assert (tmp_path / "out" / "field-2" / "original" / "field.png").read_bytes() == b"second"
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8-sig") as file:
        assert [row["outcome"] for row in csv.DictReader(file)] == ["2+", "2+"]


def test_prints_what_was_measured_with_intervals(measured: Result, capsys: pytest.CaptureFixture[str]) -> None:
    outputs(several=False).take(measured, b"")
    printed = capsys.readouterr().out
    assert "  Nuclei counted: 100\n" in printed
    assert "  Positive nuclei: 60.0 % (95 % interval " in printed
    assert "  Allred score: 6 of 8 (proportion 4, intensity 2)\n" in printed


def test_writes_the_nuclei_of_every_image(measured: Result, tmp_path: Path) -> None:
    writer = outputs(nuclei_csv=tmp_path / "n.csv", geojson=tmp_path / "n.geojson", several=True)
    writer.take(measured, b"")
    with (tmp_path / "n-field.csv").open(encoding="utf-8-sig") as file:
        assert sum(row["counted"] == "yes" for row in csv.DictReader(file)) == 100
    assert len(json.loads((tmp_path / "n-field.geojson").read_bytes())["features"]) == 100


def test_says_so_where_there_are_no_nuclei_to_write(
    result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs(nuclei_csv=tmp_path / "n.csv", several=False).take(result, b"")
    assert "no nuclei were sought" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("report", "report.txt"),
        ("report", "missing/report.pdf"),
        ("nuclei_csv", "nuclei.pdf"),
        ("geojson", "nuclei.json"),
        ("geojson", "missing/nuclei.geojson"),
    ],
)
def test_refuses_a_file_that_cannot_be_written_before_any_work(tmp_path: Path, option: str, name: str) -> None:
    with pytest.raises(InvalidOptionError):
        outputs(several=False, **{option: tmp_path / name})
