"""The doctor finds what is broken and says what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.auth import add_user, command_line_user
from core.cli import app
from core.config import get_settings
from core.db import Database
from core.doctor import Check, State, run_checks, training
from core.doctor.environment import check_data_folder, library_advice
from core.doctor.training import check_training
from core.inference.engine import get_engine
from core.labels import Role


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Database):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """An installation with an empty folder of weights."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("WEIGHTS_DIR", str(folder))
    monkeypatch.setenv("BACKEND", "torch")
    get_settings.cache_clear()
    get_engine.cache_clear()
    yield folder
    get_engine.cache_clear()


def named(checks: tuple[Check, ...], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def test_missing_weights_are_named_with_what_to_do(bare: Path) -> None:
    check = named(run_checks(), "model ihcnet")
    assert check.state is State.BROKEN
    assert "no bundled weights" in check.found
    assert str(bare) in check.advice


def test_damaged_weights_are_told_from_missing_ones(bare: Path) -> None:
    (bare / "manifest.toml").write_text(f'[models.ihcnet]\nfile = "ihcnet.safetensors"\nsha256 = "{"0" * 64}"\n')
    (bare / "ihcnet.safetensors").write_bytes(b"not weights")
    check = named(run_checks(), "model ihcnet")
    assert check.state is State.BROKEN
    assert "not the file the manifest lists" in check.found


@pytest.mark.usefixtures("bare")
def test_an_installation_without_users_says_how_to_begin(database: Database) -> None:
    assert named(run_checks(), "database").state is State.WARNING
    add_user(database, command_line_user(), "Anna", "brown membranes 42", Role.ADMIN)
    assert named(run_checks(), "database").state is State.OK


@pytest.mark.usefixtures("bare")
def test_the_command_ends_with_code_1_when_something_needed_is_broken() -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "broken   model ihcnet" in done.output
    assert "ok       libraries" in done.output


def test_a_data_folder_that_cannot_be_written_is_broken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    check = check_data_folder(tmp_path / "file")
    assert check.state is State.BROKEN
    assert "DATA_DIR" in check.advice


def test_a_data_folder_that_works_shows_the_space_left(tmp_path: Path) -> None:
    check = check_data_folder(tmp_path / "data")
    assert check.state is not State.BROKEN
    assert "GB free" in check.found


def test_a_missing_system_library_becomes_a_command() -> None:
    assert "apt-get install libgl1" in library_advice("cv2 (images): libGL.so.1: cannot open shared object file")
    assert library_advice("torch: No module named 'torch'") == "Run: pip install -r requirements.txt"


@pytest.mark.usefixtures("bare")
def test_training_is_checked_with_its_libraries_and_room(monkeypatch: pytest.MonkeyPatch) -> None:
    check = check_training()
    assert (check.state, "0 runs" in check.found) == (State.OK, True)
    monkeypatch.setattr(training, "ROOM_GB", 1e9)
    assert "delete runs" in check_training().advice
    monkeypatch.setattr(training, "_IMPORTED", ("no_such_library",))
    assert (check_training().state, "pip install" in check_training().advice) == (State.WARNING, True)
