"""An empty installation whose launcher starts a trainer without networks."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from people_of_jobs import ADMIN

from core.config import Settings, get_settings
from core.jobs import Run, get_run, list_runs, processes, tick
from core.jobs.records import read_trainer
from core.training.run_folder import State

Wait = Callable[..., Run]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of two classes."""
    rng = np.random.default_rng(0)
    for label in ("PR-", "PR+"):
        folder = tmp_path / "tiles" / label
        folder.mkdir(parents=True)
        for number in range(10):
            cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    return tmp_path / "tiles"


@pytest.fixture
def launcher(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,  # noqa: ARG001
) -> Iterator[None]:
    """The launcher over an empty data folder; whatever it started is ended."""
    monkeypatch.setenv("DEVICE", "cpu")
    get_settings.cache_clear()
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-m", "tests.jobs.fake_trainer"))
    yield
    for run in list_runs(ADMIN):
        trainer = read_trainer(run.folder)
        if trainer is not None:
            processes.end(trainer, force=True)
            processes.exit_code(trainer)


@pytest.fixture
def wait_for(launcher: None) -> Wait:  # noqa: ARG001
    """Supervise until a run is in one of some states, as the server does."""

    def wait(run: Run, *states: State, epoch: int = 0, limit_s: float = 15.0) -> Run:
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            tick()
            found = get_run(ADMIN, run.id)
            if found.status.state in states and found.status.epoch >= epoch:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{found.status} is not {states}")

    return wait
