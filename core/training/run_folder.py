"""The folder of one training run: how the process that trains and everybody who watches it talk.

config.json         the configuration, written before the first step
data.json           where the images are: {"data": path, ...}
status.json         what the trainer last said of itself (`Status`), replaced as a whole
stats.jsonl         one line of numbers per tick and per epoch
log.txt             what the trainer printed
STOP                its presence asks the trainer to stop; with "finish" in it, to judge what it has first
lock                held by the process that trains
checkpoint.pt       everything needed to go on, of the last finished epoch
weights.safetensors the best weights so far, in the published layout
evaluation.json     the final figures; pictures lie beside it in `pictures/`
samples/            images of the fixed noise, or virtual stains, one PNG per epoch that was drawn
tensorboard/        event files
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.errors import StorageError

HEARTBEAT_S = 2.0
"""A trainer says that it lives at least this often."""


class State(StrEnum):
    """How far a run is.

    `QUEUED` waits for its turn, `INTERRUPTED` had its process killed and can go on, `STOPPED` was asked to stop.
    """

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    EVALUATING = "evaluating"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Nothing happens any more unless somebody resumes it."""
        return self in (State.FINISHED, State.STOPPED, State.FAILED, State.INTERRUPTED)


@dataclass(frozen=True)
class Status:
    """What a trainer says of itself.

    Attributes:
        epoch: finished epochs; `epochs` in all.
        step: batches of the running epoch that are done; `steps` in all.
        seconds: of training so far, over all resumptions.
        left_s: estimated seconds left; None while unknown.
        metric: name of what decides the best weights ("validation loss").
        best: its best value; None before the first epoch.
        best_epoch: epoch of the best weights, from 1.
        message: one sentence for the user: what is done now, or why it ended and what to change.
        pid: process that trains; 0 for none.
        heartbeat: seconds since 1970 when this was written.
        unit: what `epoch` and `epochs` count: epochs, or the parts of a study.
    """

    state: State = State.QUEUED
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    left_s: float | None = None
    metric: str = ""
    best: float | None = None
    best_epoch: int = 0
    message: str = ""
    pid: int = 0
    heartbeat: float = 0.0
    unit: str = "epoch"


@dataclass(frozen=True)
class RunFolder:
    """One run folder; every method reads or writes the disk anew, so that any number of processes may hold one."""

    path: Path

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.path / "config.json"

    @property
    def data(self) -> Path:
        """Where the images are."""
        return self.path / "data.json"

    @property
    def stats(self) -> Path:
        """Numbers, one JSON object a line."""
        return self.path / "stats.jsonl"

    @property
    def log(self) -> Path:
        """What the trainer printed."""
        return self.path / "log.txt"

    @property
    def lock(self) -> Path:
        """Held by the process that trains."""
        return self.path / "lock"

    @property
    def checkpoint(self) -> Path:
        """State to go on from."""
        return self.path / "checkpoint.pt"

    @property
    def weights(self) -> Path:
        """The best weights."""
        return self.path / "weights.safetensors"

    @property
    def evaluation(self) -> Path:
        """Final figures."""
        return self.path / "evaluation.json"

    @property
    def pictures(self) -> Path:
        """Folder of the evaluation's pictures."""
        return self.path / "pictures"

    @property
    def samples(self) -> Path:
        """Folder of the pictures made while training."""
        return self.path / "samples"

    @property
    def tensorboard(self) -> Path:
        """Folder of event files."""
        return self.path / "tensorboard"

    def status(self) -> Status:
        """Return what the trainer last said; the default where it said nothing yet, or nothing that can be read."""
        try:
            values = json.loads((self.path / "status.json").read_text(encoding="utf-8"))
            known = {each.name for each in fields(Status)}
            status = Status(**{key: value for key, value in values.items() if key in known})
            return replace(status, state=State(values["state"]))
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return Status()

    def say(self, status: Status) -> None:
        """Replace the status as a whole; stamps it with the time."""
        self.write_json("status.json", asdict(replace(status, heartbeat=time.time())))

    def ask_to_stop(self, *, finish: bool = False) -> None:
        """Ask the trainer to stop at its next batch.

        Args:
            finish: judge the best weights so far as if all epochs were done, instead of waiting to be resumed.
        """
        (self.path / "STOP").write_text("finish" if finish else "", encoding="utf-8")

    def asked_to_stop(self) -> bool:
        """Whether somebody asked the trainer to stop."""
        return (self.path / "STOP").exists()

    def stop_asked_at(self) -> float | None:
        """When somebody asked the trainer to stop, in seconds since 1970; None where nobody did."""
        try:
            return (self.path / "STOP").stat().st_mtime
        except FileNotFoundError:
            return None

    def asked_to_finish(self) -> bool:
        """Whether the request to stop wants the figures of what was reached."""
        try:
            return (self.path / "STOP").read_text(encoding="utf-8") == "finish"
        except FileNotFoundError:
            return False

    def forget_stop(self) -> None:
        """Take the request back, before a run goes on."""
        (self.path / "STOP").unlink(missing_ok=True)

    def add_stats(self, numbers: Mapping[str, Any]) -> None:
        """Append one line of numbers.

        Raises:
            StorageError: the disk refused it.
        """
        try:
            with self.stats.open("a", encoding="utf-8") as file:
                file.write(json.dumps(dict(numbers)) + "\n")
        except OSError as error:
            raise disk_error(error) from error

    def read_stats(self, *, skip: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the lines of numbers from the one after `skip` on; a line that is only half written ends it."""
        if not self.stats.is_file():
            return
        with self.stats.open(encoding="utf-8") as file:
            for number, line in enumerate(file):
                if number < skip:
                    continue
                if not line.endswith("\n"):
                    return
                yield json.loads(line)

    def keep_stats(self, *, epochs: int) -> None:
        """Drop the lines of epochs after this one: a run that goes on from its checkpoint repeats them."""
        kept = [line for line in self.read_stats() if int(line.get("epoch", 0)) <= epochs]
        self._replace(self.stats, "".join(json.dumps(line) + "\n" for line in kept).encode())

    def write_json(self, name: str, value: Any) -> None:
        """Write a file of the folder whole or not at all.

        Raises:
            StorageError: the disk refused it.
        """
        self._replace(self.path / name, json.dumps(value, indent=1).encode())

    def _replace(self, path: Path, data: bytes) -> None:
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise disk_error(error) from error


def disk_error(error: OSError) -> StorageError:
    """Turn a refusal of the disk into a sentence."""
    return StorageError(
        f"The run folder cannot be written ({error.strerror}). Free some disk space, then resume the run; "
        "what was saved before is kept."
    )
