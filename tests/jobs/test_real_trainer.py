"""The launcher with the trainer that people get, on real tiles: killed in the middle, it comes to the same result."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from people_of_jobs import RITA

from core.config import Settings, get_settings
from core.errors import TrainingError
from core.jobs import Run, estimate, evaluation_of, get_run, resume, submit, tick
from core.training.data.class_folders import LabelledTile, write_tiles
from core.training.run_folder import State

pytestmark = pytest.mark.slow

CONFIG = {"recipe": "simple-cnn", "epochs": 5, "batch_size": 8, "precision": "32"}
EACH = 24
ENDED = (State.FINISHED, State.STOPPED, State.FAILED, State.INTERRUPTED)


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """Nuclear tiles of real fields, in class folders, at most four of a case and class."""
    from core.training.bundled.nuclear_tiles import labelled_tiles, read_fields

    kept: Counter[str] = Counter()

    def some() -> Iterator[LabelledTile]:
        for label, case, tile in labelled_tiles(read_fields(shared_data)):
            if kept[label] < EACH and kept[label + case] < 4:
                kept.update([label, label + case])
                yield label, case, tile

    folder = tmp_path_factory.mktemp("nuclear") / "tiles"
    write_tiles(some(), folder)
    return folder


@pytest.fixture(autouse=True)
def on_the_processor(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    get_settings.cache_clear()


def wait_for(run: Run, *states: State, epoch: int = 0) -> Run:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        tick()
        found = get_run(RITA, run.id)
        if found.status.state in (*states, State.FAILED) and found.status.epoch >= epoch:
            return found
        time.sleep(0.02)
    raise AssertionError(found.status)


def test_kill_9_loses_an_epoch_at_most_and_nothing_of_the_result(tiles: Path) -> None:
    whole = wait_for(submit(RITA, name="whole", data=tiles, config=CONFIG), *ENDED)
    assert whole.status.state is State.FINISHED, whole.status.message

    broken = submit(RITA, name="broken", data=tiles, config=CONFIG)
    os.kill(wait_for(broken, State.RUNNING, epoch=2).status.pid, signal.SIGKILL)
    interrupted = wait_for(broken, *ENDED)
    assert interrupted.status.state is State.INTERRUPTED
    resume(RITA, broken.id)
    done = wait_for(broken, *ENDED)
    assert (done.status.state, done.status.epoch) == (State.FINISHED, 5), done.status.message

    first, second = evaluation_of(whole.folder), evaluation_of(done.folder)
    assert first is not None and second is not None
    assert (first["confusion"], first["accuracy"]) == (second["confusion"], second["accuracy"])
    assert losses(whole) == losses(done)


def losses(run: Run) -> list[float]:
    return [line["val_loss"] for line in run.folder.read_stats() if line["kind"] == "epoch"]


def test_a_few_steps_tell_how_long_it_takes(tiles: Path) -> None:
    said: list[str] = []
    found = estimate(RITA, tiles, CONFIG | {"epochs": 300}, progress=lambda step, _done, _total: said.append(step))
    assert (found.epochs, found.steps >= 3, found.shared) == (300, True, False)
    assert 0 < found.seconds_per_step < 5
    assert found.total_s > found.start_s + 200 * found.steps * found.seconds_per_step
    assert "training" in said


def test_a_study_is_estimated_by_both_of_its_networks(tiles: Path) -> None:
    settings = {"recipe": "study", "folds": 2, "seeds": 1, "epochs": 2, "batch_size": 8, "precision": "32"}
    one = estimate(RITA, tiles, settings | {"ratios": [], "filtered_ratios": []})
    found = estimate(RITA, tiles, settings)

    assert (one.unit, one.epochs, one.steps) == ("classifier", 2, 6)
    assert (found.epochs, found.steps) == (12, 6)
    assert found.total_s > one.total_s + 2 * 2400 * 1e-3  # two generators of 2,400 batches each


def test_a_training_that_cannot_start_says_so_instead_of_an_estimate(tiles: Path) -> None:
    with pytest.raises(TrainingError, match="no_such_backbone"):
        estimate(RITA, tiles, {"recipe": "vit", "backbone": "no_such_backbone"})
