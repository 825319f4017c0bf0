"""The loop: what a run leaves in its folder, how it ends, and how it goes on."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.errors import ConflictError, InvalidDataError
from core.models.weights import read_state_dict
from core.training import checkpoint, loop
from core.training.loop import train
from core.training.run_folder import RunFolder, State
from core.training.task import Goal
from core.types import RGBImage


class Line:
    """A task of one number: learns that y = 2 x, with random batches, so that resuming wrongly would show."""

    goal = Goal("val_loss", "validation loss")

    def __init__(self, config: Any, run: RunFolder) -> None:
        self.config, self.run = config, run
        self.network = nn.Linear(1, 1, bias=False)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)
        self.fail: BaseException | None = None

    def steps(self) -> int:
        return 4

    def batches(self, epoch: int) -> Iterator[Tensor]:
        for step in range(self.steps()):
            if epoch == 3 and step == 2 and self.fail is not None:
                raise self.fail
            yield torch.randn(8, 1)

    def step(self, batch: Tensor, progress: float) -> Mapping[str, Tensor | float]:  # noqa: ARG002
        loss = (self.network(batch) - 2 * batch).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach()}

    def end_epoch(self, epoch: int) -> dict[str, float]:  # noqa: ARG002
        return {"val_loss": float((self.network.weight.detach() - 2).abs())}

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])

    def best_weights(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def draw(self, epoch: int) -> RGBImage | None:  # noqa: ARG002
        return None

    def finish(self, run: RunFolder, weights: Path) -> dict[str, Any]:  # noqa: ARG002
        return {"kind": "line", "weight": float(read_state_dict(weights)["weight"])}


class Lines:
    """Builds the tasks of a test and remembers the last one; `fail` ends the third epoch of the next."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.fail: BaseException | None = None
        self.last: Line | None = None

    def __call__(self, config: Any, *_: Any) -> Line:
        self.last = Line(config, self.run)
        self.last.fail = self.fail
        return self.last


def make_run(folder: Path, **settings: Any) -> RunFolder:
    run = RunFolder(folder)
    folder.mkdir()
    values = {"recipe": "simple-cnn", "epochs": 5, "learning_rate": 0.1, "precision": "32", **settings}
    run.write_json("config.json", values)
    run.write_json("data.json", {"data": str(folder)})
    return run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run of five epochs."""
    return make_run(tmp_path / "run")


@pytest.fixture
def lines(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> Lines:
    """The tasks that the loop builds in this test."""
    built = Lines(run)
    monkeypatch.setattr(loop, "build_task", built)
    return built


def epochs_of(run: RunFolder) -> list[dict[str, Any]]:
    return [line for line in run.read_stats() if line["kind"] == "epoch"]


@pytest.mark.usefixtures("lines")
def test_a_run_leaves_status_numbers_weights_and_figures(run: RunFolder) -> None:
    status = train(run)
    assert (status.state, status.epoch, status.epochs, status.pid) == (State.FINISHED, 5, 5, 0)
    assert run.status().state is State.FINISHED
    assert [line["epoch"] for line in epochs_of(run)] == [1, 2, 3, 4, 5]
    assert set(epochs_of(run)[0]) == {"kind", "epoch", "seconds", "train_loss", "val_loss"}
    assert json.loads(run.evaluation.read_text())["weight"] == pytest.approx(
        read_state_dict(run.weights)["weight"].item()
    )
    assert any(run.tensorboard.iterdir())


@pytest.mark.usefixtures("lines")
def test_the_best_weights_are_kept_not_the_last(run: RunFolder) -> None:
    status = train(run)
    figures = [line["val_loss"] for line in epochs_of(run)]
    assert status.best == pytest.approx(min(figures), abs=1e-5)
    assert status.best_epoch == 1 + figures.index(min(figures))


def test_a_run_that_was_broken_off_ends_like_one_that_was_not(
    tmp_path: Path, run: RunFolder, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines.fail = KeyboardInterrupt()
    assert train(run).state is State.STOPPED
    lines.fail = None
    assert train(run).state is State.FINISHED
    other = make_run(tmp_path / "other")
    monkeypatch.setattr(loop, "build_task", Lines(other))
    train(other)
    first, second = ([{**line, "seconds": 0} for line in epochs_of(each)] for each in (run, other))
    assert first == second


def test_a_stop_keeps_the_finished_epochs(run: RunFolder, lines: Lines) -> None:
    lines.fail = None
    steps = Line.step

    def stopping(self: Line, batch: Tensor, progress: float) -> Mapping[str, Tensor | float]:
        if progress > 2:
            run.ask_to_stop()
        return steps(self, batch, progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Line, "step", stopping)
        status = train(run)
    assert (status.state, status.epoch) == (State.STOPPED, 2)
    assert "resume" in status.message
    assert run.weights.is_file()


@pytest.mark.usefixtures("lines")
def test_a_stop_may_ask_for_the_figures_first(run: RunFolder) -> None:
    train(make_shorter(run, epochs=2))
    make_shorter(run, epochs=5)
    run.ask_to_stop(finish=True)
    status = train(run)
    assert (status.state, status.epoch) == (State.FINISHED, 2)
    assert "ended early" in status.message.lower()


def make_shorter(run: RunFolder, *, epochs: int) -> RunFolder:
    run.write_json("config.json", {**json.loads(run.config.read_text()), "epochs": epochs})
    return run


@pytest.mark.usefixtures("lines")
def test_a_learning_rate_out_of_all_bounds_ends_in_a_sentence(tmp_path: Path) -> None:
    status = train(make_run(tmp_path / "wild", learning_rate=1e30, epochs=50))
    assert status.state is State.FAILED
    assert "diverged" in status.message and "Lower the learning rate" in status.message


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_too_little_memory_says_what_to_change(run: RunFolder, lines: Lines, error: BaseException) -> None:
    lines.fail = error
    status = train(run)
    assert (status.state, status.epoch) == (State.FAILED, 2)
    assert "Halve the batch size" in status.message


def test_a_full_disk_at_a_checkpoint_keeps_the_former_one(
    run: RunFolder, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines.fail = None
    written = checkpoint.torch.save

    def full(state: dict[str, Any], file: Any) -> None:
        if state["epoch"] == 3:
            raise OSError(28, "No space left on device")
        written(state, file)

    monkeypatch.setattr(checkpoint.torch, "save", full)
    status = train(run)
    assert status.state is State.FAILED
    assert "Free some disk space" in status.message
    assert checkpoint.load_checkpoint(run.checkpoint, recipe="simple-cnn")["epoch"] == 2
    assert not list(run.path.glob("*.partial"))


def test_data_that_vanish_end_the_run_in_their_own_words(run: RunFolder, lines: Lines) -> None:
    lines.fail = InvalidDataError("The folder tiles has vanished. Put it back.")
    assert train(run).message == "The folder tiles has vanished. Put it back."


@pytest.mark.usefixtures("lines")
def test_weights_of_another_recipe_are_not_gone_on_from(run: RunFolder) -> None:
    train(make_shorter(run, epochs=1))
    run.write_json("config.json", {**json.loads(run.config.read_text()), "recipe": "ihcnet"})
    status = train(run)
    assert status.state is State.FAILED
    assert "of the recipe simple-cnn, this run is of ihcnet" in status.message


@pytest.mark.usefixtures("lines")
def test_a_damaged_checkpoint_is_said(run: RunFolder) -> None:
    run.checkpoint.write_bytes(b"nothing")
    assert "cannot be read" in train(run).message


@pytest.mark.usefixtures("lines")
def test_two_processes_never_train_in_one_folder(run: RunFolder) -> None:
    with (run.path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ConflictError, match="Another process trains"):
            train(run)


@pytest.mark.usefixtures("lines")
def test_a_run_ends_early_where_nothing_improves(tmp_path: Path) -> None:
    still = make_run(tmp_path / "still", learning_rate=1e-12, epochs=40, early_stop=3)
    status = train(still)
    assert status.state is State.FINISHED
    assert status.epoch < 40
