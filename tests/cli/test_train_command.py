"""`python -m core train`: settings, a look at the data, a run in the terminal, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from core.auth import command_line_user
from core.cli import app
from core.cli.train import read_settings
from core.config import ROOT, Settings
from core.errors import InvalidOptionError
from core.jobs import get_run, list_runs, locks, processes
from core.jobs.records import read_trainer, write_trainer
from core.training.config import Recipe
from core.training.run_folder import RunFolder, State, Status

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes of noise, one brighter than the other."""
    rng = np.random.default_rng(0)
    for label, level in (("PR-", 200), ("PR+", 100)):
        (tmp_path / "tiles" / label).mkdir(parents=True)
        for number in range(16):
            tile = rng.integers(level - 40, level + 40, (128, 128, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "tiles" / label / f"{number}.png"), tile)
    return tmp_path / "tiles"


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """A loop that finishes at once; returns the folders it was called with."""
    called: list[RunFolder] = []

    def train(run: RunFolder) -> Status:
        called.append(run)
        epochs = json.loads(run.config.read_text())["epochs"]
        run.say(replace(run.status(), state=State.FINISHED, epoch=epochs, epochs=epochs, message="Finished."))
        return run.status()

    monkeypatch.setitem(sys.modules, "core.training.loop", SimpleNamespace(train=train))
    return called


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def test_settings_reach_every_part_of_the_configuration() -> None:
    given = ["batch_size=4", "augmentation.stain=0.3", "start=imagenet", "clip=null", "augmentation.turns=false"]
    config = read_settings(Recipe.IHCNET, 2, given)
    assert (config.epochs, config.batch_size, config.clip) == (2, 4, None)
    assert (config.start, config.augmentation.stain, config.augmentation.turns) == ("imagenet", 0.3, False)


@pytest.mark.parametrize("given", ["batch_size", "=3", "epoch=3", "batch_size=0", "seed.x=1", "augmentation.turn=1"])
def test_wrong_settings_are_refused_in_words(given: str) -> None:
    with pytest.raises(InvalidOptionError):
        read_settings(Recipe.SIMPLE_CNN, None, ["seed=1", given])


def test_a_dry_run_shows_images_and_settings_and_makes_nothing(data: Path, settings: Settings) -> None:
    (data / "PR+" / "notes.txt").write_text("left out")
    done = run("simple-cnn", "--data", data, "--set", "batch_size=4", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "32 of 32 images readable" in done.stdout
    assert '"batch_size": 4' in done.stdout
    assert not (settings.data_dir / "runs").exists()


def test_a_run_appears_on_the_pages_of_administrators(data: Path, loop: list[RunFolder]) -> None:
    done = run("simple-cnn", "--data", data, "--name", "from the terminal", "--epochs", 3)
    assert (done.exit_code, "finished: Finished." in done.stdout) == (0, True)
    (found,) = list_runs(command_line_user())
    assert (found.name, found.owner, found.status.epoch, found.place) == ("from the terminal", "command line", 3, None)
    assert found.device == "" and loop == [found.folder]


def test_another_folder_is_used_where_one_is_named(data: Path, loop: list[RunFolder], tmp_path: Path) -> None:
    out = tmp_path / "my run"
    assert run("simple-cnn", "--data", data, "--out", out).exit_code == 0
    assert loop == [RunFolder(out)]
    assert json.loads((out / "data.json").read_text()) == {"data": str(data)}
    again = run("simple-cnn", "--data", data, "--out", out)
    assert (again.exit_code, "--resume" in again.stderr) == (1, True)


def test_resume_takes_a_folder_or_an_id(data: Path, loop: list[RunFolder]) -> None:
    run("simple-cnn", "--data", data, "--epochs", 3)
    folder = loop[0]
    folder.ask_to_stop()
    assert run("--resume", folder.path, "--epochs", 5).exit_code == 0
    assert not folder.asked_to_stop()
    assert run("--resume", folder.path.name).exit_code == 0
    assert get_run(command_line_user(), folder.path.name).status.epochs == 5
    assert loop == [folder] * 3


def test_a_second_process_in_one_run_folder_is_refused(data: Path, loop: list[RunFolder]) -> None:
    run("simple-cnn", "--data", data, "--epochs", 3)
    folder = loop[0]
    with locks.hold(folder.lock):
        second = run("--resume", folder.path, "--epochs", 9)
    assert (second.exit_code, "Another process trains" in second.stderr) == (1, True)
    write_trainer(folder, processes.describe(os.getpid(), ""))
    assert "Another process trains" in run("--resume", folder.path.name).stderr
    assert read_trainer(folder) is not None and len(loop) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "simple-cnn"),
        (["simple-cnn"], "--data"),
        (["simple-cnn", "--data", "/no/such/folder"], "/no/such/folder"),
        (["--resume", "/no/such/run"], "no run"),
        (["simple-cnn", "--resume", "x"], "--resume takes"),
    ],
)
def test_what_is_missing_is_said(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, said in done.stderr) == (1, True)


def test_processes_that_train_together_share_a_named_folder(
    data: Path, loop: list[RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert "--out" in run("simple-cnn", "--data", data).stderr
    out = tmp_path / "shared"
    assert run("simple-cnn", "--data", data, "--out", out).exit_code == 0
    monkeypatch.setenv("RANK", "1")
    assert run("simple-cnn", "--data", data, "--out", out).exit_code == 0
    assert loop == [RunFolder(out)] * 2


@pytest.mark.slow
def test_ctrl_c_stops_keeps_the_weights_and_resume_goes_on(data: Path, settings: Settings, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    environment = os.environ | {"DATA_DIR": str(settings.data_dir), "DEVICE": "cpu", "TRAIN_DEVICE": "cpu"}
    command = [sys.executable, "-m", "core", "train"]
    options = ["simple-cnn", "--data", str(data), "--out", str(folder.path), "--epochs", "500", "--set", "batch_size=8"]
    process = subprocess.Popen([*command, *options], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while folder.status().epoch < 1 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    stopped = folder.status()
    assert (process.returncode, stopped.state) == (0, State.STOPPED), said
    assert "Stopping after this batch" in said
    assert folder.weights.is_file()

    more = ["--resume", str(folder.path), "--epochs", str(stopped.epoch + 1)]
    done = subprocess.run([*command, *more], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert (done.returncode, folder.status().state) == (0, State.FINISHED), done.stderr
    assert folder.status().epoch == stopped.epoch + 1
