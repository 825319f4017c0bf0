"""`python -m core analyze` from file to score."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.inference.engine import get_engine

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture(autouse=True)
def _own_engine():  # type: ignore[no-untyped-def]
    get_engine.cache_clear()
    yield
    get_engine.cache_clear()


def test_bad_images_are_named_and_the_others_still_done(shared_data: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no image")
    good = shared_data / "bci" / "IHC" / "00006_test_3+.png"
    report = tmp_path / "r.pdf"
    arguments = [str(text), str(tmp_path / "missing.png"), str(good), "--json", "--report", str(report)]
    done = CliRunner().invoke(app, ["analyze", *arguments])
    assert done.exit_code == 1
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["text.png", "missing.png"]
    assert json.loads(done.stdout)["score"] == "3+"
    assert (tmp_path / "r-00006_test_3+.pdf").read_bytes().startswith(b"%PDF")


def test_an_analysis_makes_no_database(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no image")
    assert CliRunner().invoke(app, ["analyze", str(text)]).exit_code == 1
    assert not list(tmp_path.rglob("*.db"))


def test_another_workbench_needs_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_TOKEN", raising=False)
    done = CliRunner().invoke(app, ["analyze", str(tmp_path / "a.png"), "--remote", "http://127.0.0.1:9"])
    assert (done.exit_code, "WORKBENCH_TOKEN" in done.stderr) == (1, True)


def test_an_unreachable_workbench_is_named(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_TOKEN", "x")
    image = shared_data / "bci" / "IHC" / "00006_test_3+.png"
    done = CliRunner().invoke(app, ["analyze", str(image), "--remote", "http://127.0.0.1:9"])
    assert done.exit_code == 1
    assert "127.0.0.1:9 cannot be reached" in done.stderr


def test_a_folder_stands_for_its_images(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("left out")
    nothing = CliRunner().invoke(app, ["analyze", str(tmp_path)])
    assert (nothing.exit_code, "no image files" in nothing.stderr) == (1, True)
    for name in ("b.png", "a.JPG"):
        (tmp_path / name).write_text("no image")
    done = CliRunner().invoke(app, ["analyze", str(tmp_path)])
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["a.JPG", "b.png"]
