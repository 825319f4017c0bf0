"""Processes that train: apart from this one, recognised again, on their device."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.config import ROOT, Settings, get_settings
from core.jobs import devices, processes
from core.jobs.records import Trainer
from core.training.run_folder import RunFolder, Status

SAY = "import os, sys, json; print(json.dumps([sys.argv, os.getsid(0), dict(os.environ)]))"


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> RunFolder:  # noqa: ARG001
    """A run folder."""
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


def wait_for_end(trainer: Trainer, folder: RunFolder) -> int | None:
    deadline = time.monotonic() + 10
    while processes.is_alive(trainer, folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    return processes.exit_code(trainer)


def test_the_launcher_is_loaded_without_the_networks() -> None:
    code = (
        "import sys, core.jobs; heavy = {'torch', 'lightning', 'openvino', 'scipy', 'sklearn', 'streamlit'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_has_its_own_session_and_writes_the_log(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", SAY))
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("SLURM_NTASKS", "4")
    trainer = processes.start(folder, "cpu")
    assert wait_for_end(trainer, folder) == 0
    arguments, session, environment = said(folder)
    assert arguments[1:] == [str(folder.path)]
    assert session == trainer.pid != os.getsid(0)
    assert environment["TRAIN_DEVICE"] == "cpu"
    assert environment["DATA_DIR"] == str(get_settings().data_dir.resolve())
    assert not {"WORLD_SIZE", "SLURM_NTASKS"} & set(environment)


def said(folder: RunFolder) -> tuple[list[str], int, dict[str, str]]:
    arguments, session, environment = json.loads(folder.log.read_text())
    return arguments, session, environment


def test_a_process_is_recognised_by_its_birth(folder: RunFolder) -> None:
    me = processes.describe(os.getpid(), "cpu")
    assert processes.is_alive(me, folder)
    assert not processes.is_alive(Trainer(me.pid, me.created - 60, me.host, "cpu", me.started), folder)


def test_one_on_another_machine_is_judged_by_what_it_says(folder: RunFolder) -> None:
    there = Trainer(os.getpid(), 0.0, "elsewhere", "", 0.0)
    assert not processes.is_alive(there, folder)
    folder.say(Status())
    assert processes.is_alive(there, folder)
    processes.end(there, force=True)  # and nobody of the same number here is ended


def test_one_that_was_about_to_be_started_gets_a_minute(folder: RunFolder) -> None:
    assert processes.is_alive(Trainer(0, 0.0, "", "cpu", time.time()), folder)
    assert not processes.is_alive(Trainer(0, 0.0, "", "cpu", time.time() - 61), folder)


def test_gpus_are_given_out_one_by_one(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:  # noqa: ARG001
    monkeypatch.setattr(devices, "_gpus", lambda: 2)
    assert devices.free_devices([]) == ["cuda:0", "cuda:1"]
    assert devices.free_devices(["cuda:0"]) == ["cuda:1"]
    assert devices.free_devices(["cuda:1", ""]) == []
    monkeypatch.setenv("RUNS_PER_DEVICE", "2")
    get_settings.cache_clear()
    assert devices.free_devices(["cuda:0"]) == ["cuda:1", "cuda:0", "cuda:1"]
    monkeypatch.setenv("DEVICE", "cpu")
    get_settings.cache_clear()
    assert devices.free_devices([]) == ["cpu", "cpu"]


def test_a_process_sees_its_gpu_alone() -> None:
    assert devices.environment_of("cuda:1", None) == {"CUDA_VISIBLE_DEVICES": "1"}
    assert devices.environment_of("cuda:1", "2, MIG-abc") == {"CUDA_VISIBLE_DEVICES": "MIG-abc"}
