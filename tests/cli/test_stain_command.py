"""`python -m core stain` from H&E to files marked virtual."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.inference.engine import get_engine
from core.phantoms.samples import load_sample
from core.png_text import read_text

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture(autouse=True)
def _own_engine():  # type: ignore[no-untyped-def]
    get_engine.cache_clear()
    yield
    get_engine.cache_clear()


def test_a_folder_is_stained_and_bad_files_are_named(tmp_path: Path) -> None:
    images, out = tmp_path / "images", tmp_path / "out" / "new"
    (images / "2+").mkdir(parents=True)
    (images / "2+" / "field.png").write_bytes(load_sample("he")[0])
    (images / "ihc.png").write_bytes(load_sample("her2-3")[0])
    done = CliRunner().invoke(app, ["stain", str(images), "--out", str(out), "--scale", "40x"])
    assert done.exit_code == 1
    assert "ihc.png" in done.stderr and "--insist" in done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["manifest.csv", "manifest.json", "virtual_field.png"]
    assert "not real staining" in read_text((out / "virtual_field.png").read_bytes())["Comment"]
    assert json.loads((out / "manifest.json").read_text())["images"][0]["label"] == "2+"


def test_an_empty_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "holds no images"), (tmp_path / "no.png", "cannot be read")):
        done = CliRunner().invoke(app, ["stain", str(path), "--out", str(tmp_path / "out")])
        assert (done.exit_code, words in done.stderr) == (1, True)
