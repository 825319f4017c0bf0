"""What `analyze` writes for each result."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from results_by_hand import hand_made_result

from core.cli.output import Outputs
from core.errors import InvalidOptionError
from core.types import Result


@pytest.fixture(scope="module")
def result() -> Result:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return hand_made_result(noise, name="field.png", virtual=True)


def outputs(*, as_json: bool = False, report: Path | None = None, folder: Path | None = None, several: bool) -> Outputs:
    return Outputs(as_json=as_json, report=report, folder=folder, several=several)


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


@pytest.mark.parametrize("report", ["report.txt", "missing/report.pdf"])
def test_refuses_a_report_that_cannot_be_written_before_any_work(tmp_path: Path, report: str) -> None:
    with pytest.raises(InvalidOptionError):
        outputs(report=tmp_path / report, several=False)
