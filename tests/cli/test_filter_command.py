"""`python -m core filter`: class folders in, accepted and rejected out."""

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.cli import app
from core.images import encode_png


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sharp images of PR+ and a blank one of PR-."""
    for label, name, seed in (("PR+", "a", 1), ("PR+", "b", 2), ("PR-", "a", None)):
        place = tmp_path / "tiles" / label
        place.mkdir(parents=True, exist_ok=True)
        image = np.full((64, 64, 3), 255, np.uint8)
        if seed is not None:
            image = np.random.default_rng(seed).integers(90, 250, image.shape, dtype=np.uint8)
        (place / f"{name}.png").write_bytes(encode_png(image))
    return tmp_path / "tiles"


def test_it_sorts_images_and_says_why(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answer = CliRunner().invoke(app, ["filter", str(folder), "--out", str(out), "--no-network"])
    assert answer.exit_code == 0 and f"2 of 3 accepted (66.7%); written to {out}" in answer.output
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert found == ["accepted/PR+/a.png", "accepted/PR+/b.png", "filter.csv", "rejected/PR-/a.png", "settings.json"]
    assert (out / "accepted/PR+/a.png").read_bytes() == (folder / "PR+/a.png").read_bytes()
    rows = list(csv.DictReader((out / "filter.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {row["file"]: row["reason"] for row in rows}["rejected/PR-/a.png"] == "blurred"


@pytest.mark.usefixtures("settings")
def test_the_bundled_classifier_reads_the_classes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answer = CliRunner().invoke(app, ["filter", str(folder), "--out", str(out), "--sharpness", "0"])
    assert answer.exit_code == 0
    rows = list(csv.DictReader((out / "filter.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert all(row["read_as"] in ("PR-", "PR+", "") for row in rows) and rows[0]["read_as"]


@pytest.mark.parametrize(
    ("rename", "options", "words"),
    [
        ("tumour", [], "No classifier knows the classes"),
        ("PR-", ["--confidence", "2"], "The threshold confidence is 2"),
        ("PR-", ["--second", "missing.safetensors"], "missing.safetensors"),
    ],
)
def test_what_does_not_fit_is_said_in_words(
    folder: Path, tmp_path: Path, rename: str, options: list[str], words: str
) -> None:
    (folder / "PR-").rename(folder / rename)
    answer = CliRunner().invoke(app, ["filter", str(folder), "--out", str(tmp_path / "out"), *options])
    assert answer.exit_code == 1 and words in answer.output and "Traceback" not in answer.output


def test_a_folder_in_use_is_refused_at_once(folder: Path) -> None:
    answer = CliRunner().invoke(app, ["filter", str(folder), "--out", str(folder)])
    assert answer.exit_code == 1 and "is not an empty folder" in answer.output
