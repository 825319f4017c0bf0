"""`python -m core sample`: images, their manifest, and refusals in words."""

import csv
import json
from pathlib import Path

import pytest
from filled_weights import write_weights
from typer.testing import CliRunner

from core.cli import app
from core.config import get_settings
from core.inference.engine import get_engine
from core.png_text import read_text


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An installation with filled weights of the generator and of the classifier that measures."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("WEIGHTS_DIR", str(write_weights(folder, "medsyngan_g", "simple_cnn")))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BACKEND", "torch")
    get_settings.cache_clear()
    get_engine.cache_clear()
    yield
    get_settings.cache_clear()
    get_engine.cache_clear()


@pytest.mark.usefixtures("weights")
def test_writes_images_and_their_manifest(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    done = CliRunner().invoke(app, ["sample", "--class", "PR+", "--count", "3", "--seed", "5", "--out", str(out)])

    assert done.exit_code == 0, done.output
    assert "3 synthetic images of PR+" in done.output
    assert sorted(path.name for path in out.iterdir()) == [
        "manifest.csv", "manifest.json", "synthetic_PR+_5.png", "synthetic_PR+_6.png", "synthetic_PR+_7.png",
    ]  # fmt: skip
    rows = list(csv.DictReader((out / "manifest.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row["seed"] for row in rows] == ["5", "6", "7"]
    assert float(rows[0]["sharpness"]) > 0 and 0 <= float(rows[0]["confidence"]) <= 1
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["synthetic"] is True
    assert read_text((out / "synthetic_PR+_5.png").read_bytes())["Class"] == "PR+"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--class", "PR+", "--count", "0"], "count is 0"),
        (["--class", "PR+", "--count", "1000000"], "10,000"),
        (["--class", "PR+", "--seed", "-1"], "seed is -1"),
        (["--class", "lung"], "PR-, PR+"),
        (["--class", "PR+", "--truncation", "2"], "truncation is 2"),
    ],
)
@pytest.mark.usefixtures("weights")
def test_refuses_in_words(tmp_path: Path, options: list[str], words: str) -> None:
    done = CliRunner().invoke(app, ["sample", *options, "--out", str(tmp_path / "out")])

    assert done.exit_code == 1
    assert words in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("weights")
def test_a_place_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = CliRunner().invoke(app, ["sample", "--class", "PR-", "--count", "1", "--out", str(tmp_path / "file")])

    assert done.exit_code == 1
    assert "cannot be written" in done.output
