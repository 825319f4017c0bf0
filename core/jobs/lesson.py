"""A small training that somebody watches: a process of its own, in a folder that is deleted with it.

Nothing of it is kept: no run, no data set, no weights.
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import StorageError, TrainingError
from core.jobs import processes
from core.jobs.runs import evaluation_of
from core.jobs.submission import fill
from core.training.config import SimpleCnnConfig
from core.training.data.class_folders import write_tiles
from core.training.data.demonstration import lesson_tiles
from core.training.run_folder import RunFolder, State
from core.types import Progress

CONFIG = SimpleCnnConfig(
    epochs=6, batch_size=8, learning_rate=2e-3, tied=True, val_share=0.2, test_share=0.25, max_minutes=3
)
POLL_S = 0.2
WAIT_S = 10.0
"""How long a process that was ended may take to be gone."""

_one = threading.Lock()  # the machine is small: those who watch at the same time wait for each other


@dataclass(frozen=True)
class Epoch:
    """Shares of tiles read right after one pass: of those that are learnt from, and of those of other cases."""

    number: int
    training: float
    others: float


@dataclass(frozen=True)
class Learnt:
    """What the network makes of the cases that it never saw.

    Attributes:
        confusion: rows are the truth, columns what was read, in the order of `classes`.
        accuracy, low, high: share of tiles read right, with its 95 % interval.
        tiles: how many were read.
    """

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    accuracy: float
    low: float
    high: float
    tiles: int
    seconds: float


@dataclass
class Lesson:
    """What can be seen of the training while it runs; filled by `teach` in another thread."""

    epochs: list[Epoch] = field(default_factory=list)


def teach(lesson: Lesson, progress: Progress) -> Learnt:
    """Simulate tiles, train SimpleCNN on them, and judge it on cases that it never saw.

    Raises:
        CancelledError: raised by `progress`; the process is ended first.
        TrainingError: the training failed.
        StorageError: the disk refused.
    """
    progress("waiting for another demonstration", 0, 1)
    while not _one.acquire(timeout=POLL_S):
        progress("waiting for another demonstration", 0, 1)
    try:
        with _place() as place:
            started = time.monotonic()
            write_tiles(lesson_tiles(progress), place / "tiles")
            run = fill(RunFolder(place / "run"), place / "tiles", CONFIG)
            _watch(run, lesson, progress)
            return _judged(run, time.monotonic() - started)
    finally:
        _one.release()


@contextmanager
def _place() -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="workbench-lesson-", ignore_cleanup_errors=True) as name:
            yield Path(name)
    except OSError as error:
        raise StorageError(f"The training found no room ({error.strerror}). Free some disk space.") from error


def _watch(run: RunFolder, lesson: Lesson, progress: Progress) -> None:
    """Run the trainer to its end; it is gone when this returns, also where it was cancelled."""
    # Its tile cache is a part of the data folder: with one of its own it leaves nothing in this installation's.
    trainer = processes.start(run, "cpu", DATA_DIR=str(run.path.parent / "data"))
    try:
        while processes.is_alive(trainer, run):
            status = run.status()
            lesson.epochs[:] = _epochs(run)
            done = min(status.epoch * max(status.steps, 1) + status.step, status.epochs * max(status.steps, 1))
            progress(status.message or "starting", done, status.epochs * max(status.steps, 1))
            time.sleep(POLL_S)
        lesson.epochs[:] = _epochs(run)
    finally:
        processes.end(trainer, force=True)
        deadline = time.monotonic() + WAIT_S
        while processes.is_alive(trainer, run) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        processes.exit_code(trainer)


def _epochs(run: RunFolder) -> list[Epoch]:
    found = []
    try:
        lines = run.stats.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            values = json.loads(line)
        except ValueError:  # the last line is being written
            continue
        if values.get("kind") == "epoch":
            found.append(Epoch(int(values["epoch"]), float(values["train_accuracy"]), float(values["val_accuracy"])))
    return found


def _judged(run: RunFolder, seconds: float) -> Learnt:
    status, found = run.status(), evaluation_of(run)
    if status.state is not State.FINISHED or found is None:
        raise TrainingError(f"The training did not end as it should: {status.message or 'it stopped'}. Start it again.")
    accuracy = found["accuracy"]
    return Learnt(
        classes=tuple(found["classes"]),
        confusion=tuple(tuple(int(count) for count in row) for row in found["confusion"]),
        accuracy=float(accuracy["value"]),
        low=float(accuracy["low"]),
        high=float(accuracy["high"]),
        tiles=int(accuracy["count"]),
        seconds=seconds,
    )
