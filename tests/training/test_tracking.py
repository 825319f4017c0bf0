"""What a run tells TensorBoard and MLflow."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from core.training.config import SimpleCnnConfig
from core.training.run_folder import RunFolder
from core.training.tracking import Tracker


class MlflowException(Exception):
    """As MLflow names it."""


class FakeClient:
    """An MLflow client that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.broken = False

    def get_experiment_by_name(self, _: str) -> None:
        return None

    def create_experiment(self, name: str) -> str:
        if self.broken:
            raise MlflowException("connection refused\nsecond line")
        return name

    def create_run(self, experiment_id: str, run_name: str) -> SimpleNamespace:
        self.told.append(("run", experiment_id, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="abc"))

    def update_run(self, run_id: str, status: str) -> None:
        self.told.append(("status", run_id, status))

    def log_batch(self, run_id: str, metrics: Sequence[Any] = (), params: Sequence[Any] = ()) -> None:
        if self.broken:
            raise MlflowException("gone")
        self.told += [("metric", run_id, each.name, each.value, each.step) for each in metrics]
        self.told += [("param", each.name, each.value) for each in params if each.name == "recipe"]

    def log_image(self, _: str, image: Any, artifact_file: str) -> None:
        self.told.append(("image", artifact_file, image.shape))

    def set_terminated(self, run_id: str) -> None:
        self.told.append(("end", run_id))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """A client behind `import mlflow`, with a server's address set."""
    fake = FakeClient()
    module = SimpleNamespace(
        MlflowClient=lambda: fake,
        exceptions=SimpleNamespace(MlflowException=MlflowException),
        entities=SimpleNamespace(
            Metric=lambda name, value, _, step: SimpleNamespace(name=name, value=value, step=step),
            Param=lambda name, value: SimpleNamespace(name=name, value=value),
        ),
    )
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    return fake


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """An empty run folder."""
    return RunFolder(tmp_path / "cleo")


def events(run: RunFolder) -> EventAccumulator:
    """What TensorBoard would show."""
    found = EventAccumulator(str(run.tensorboard))
    found.Reload()
    return found


def test_numbers_and_pictures_are_in_the_tensorboard_log(run: RunFolder) -> None:
    tracker = Tracker(run, SimpleCnnConfig())
    tracker.numbers({"train_loss": 0.5}, 10)
    tracker.picture("samples", np.zeros((8, 8, 3), np.uint8), 10)
    tracker.close()
    found = events(run)
    assert [(each.step, each.value) for each in found.Scalars("train_loss")] == [(10, 0.5)]
    assert [(each.step, each.height) for each in found.Images("samples")] == [(10, 8)]


def test_a_resumed_run_adds_to_its_tensorboard_log(run: RunFolder) -> None:
    for step in (1, 2):
        tracker = Tracker(run, SimpleCnnConfig())
        tracker.numbers({"train_loss": 1 / step}, step)
        tracker.close()
    assert len(list(run.tensorboard.iterdir())) == 2


def test_a_folder_that_cannot_be_written_costs_the_log_only(run: RunFolder, caplog: pytest.LogCaptureFixture) -> None:
    run.path.mkdir()
    run.tensorboard.write_text("in the way")
    tracker = Tracker(run, SimpleCnnConfig())
    tracker.numbers({"train_loss": 0.5}, 1)
    tracker.close()
    assert "no TensorBoard log" in caplog.text


def test_mlflow_is_not_imported_unasked(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    Tracker(run, SimpleCnnConfig()).close()
    assert "mlflow" not in sys.modules


def test_mlflow_is_told_finite_numbers(run: RunFolder, client: FakeClient) -> None:
    tracker = Tracker(run, SimpleCnnConfig())
    tracker.numbers({"val_loss": 0.25, "train_loss": float("nan")}, 3)
    tracker.picture("samples", np.zeros((8, 8, 3), np.uint8), 3)
    tracker.close()
    assert client.told == [
        ("run", "ihc-workbench-simple-cnn", "cleo"),
        ("param", "recipe", "simple-cnn"),
        ("status", "abc", "RUNNING"),
        ("metric", "abc", "val_loss", 0.25, 3),
        ("image", "samples/000003.png", (8, 8, 3)),
        ("end", "abc"),
    ]


def test_a_resumed_run_is_the_same_mlflow_run(run: RunFolder, client: FakeClient) -> None:
    Tracker(run, SimpleCnnConfig()).close()
    Tracker(run, SimpleCnnConfig()).close()
    assert [told[0] for told in client.told] == ["run", "param", "status", "end", "status", "end"]


def test_an_unreachable_server_is_a_warning(
    run: RunFolder, client: FakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.broken = True
    tracker = Tracker(run, SimpleCnnConfig())
    tracker.numbers({"val_loss": 0.25}, 3)
    tracker.close()
    assert "MLflow cannot be reached" in caplog.text and "second line" not in caplog.text
    assert [each.value for each in events(run).Scalars("val_loss")] == [0.25]


def test_a_server_that_goes_away_is_told_nothing_more(
    run: RunFolder, client: FakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = Tracker(run, SimpleCnnConfig())
    client.broken = True
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            tracker.numbers({"val_loss": 0.25}, step)
    tracker.close()
    assert caplog.text.count("MLflow failed") == 1
    assert client.told[-1] == ("status", "abc", "RUNNING")


def test_a_missing_package_is_a_warning(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    Tracker(run, SimpleCnnConfig()).close()
    assert "not installed" in caplog.text
