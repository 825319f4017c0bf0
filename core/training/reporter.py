"""What a running training tells the world: status, numbers, pictures, and whether it shall stop."""

import _thread
import logging
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal

from torch import Tensor

from core.errors import StorageError, TrainingError
from core.images import encode_png
from core.training.config import TrainConfig
from core.training.run_folder import HEARTBEAT_S, RunFolder, Status
from core.training.tracking import Tracker
from core.types import RGBImage

log = logging.getLogger(__name__)

STOP_BEATS = 2
"""A request to stop that was not followed for so many heartbeats breaks off what the process is doing."""

TICK_S = 1.0
"""Numbers of single batches are written about this often."""


class Reporter:
    """Writes to the run folder, and says every two seconds that the process lives. Use it with `with`.

    Args:
        writes: only one of several processes that train together does.
    """

    def __init__(self, run: RunFolder, config: TrainConfig, status: Status, *, writes: bool = True) -> None:
        self.run = run
        self.status = status
        self.writes = writes
        self._tracker = Tracker(run, config) if writes else None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._alive = threading.Thread(target=self._heartbeat, name="heartbeat", daemon=True)
        self._began = time.monotonic() - status.seconds
        self._ticked = 0.0
        self._from = (float(status.epoch), status.seconds)
        self._second, self._epoch = Means(), Means()

    def __enter__(self) -> "Reporter":
        if self.writes:
            self._alive.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self._over.set()
        if self._alive.is_alive():
            self._alive.join()
        if self._tracker is not None:
            self._tracker.close()
        return False

    @property
    def seconds(self) -> float:
        """Time of training, over all resumptions."""
        return time.monotonic() - self._began

    def say(self, **changes: Any) -> None:
        """Change the status and write it."""
        with self._lock:
            self.status = replace(self.status, **changes)
            if self.writes:
                self.run.say(self.status)

    def doing(self, message: str, done: int, total: int) -> None:
        """Report a step before or after the epochs; fits `core.types.Progress`."""
        if time.monotonic() - self._ticked >= TICK_S or done == 0:
            self._ticked = time.monotonic()
            counted = f" ({done} of {total})" if total > 1 else ""
            self.say(message=f"{message}{counted}", seconds=self.seconds)

    def batch(self, epoch: int, step: int, numbers: Mapping[str, Tensor | float]) -> None:
        """Note the numbers of one batch; about once a second their mean is written.

        Raises:
            TrainingError: they are no longer finite.
        """
        self._second.add(numbers)
        self._epoch.add(numbers)
        if time.monotonic() - self._ticked >= TICK_S:
            self._ticked = time.monotonic()
            means = self._second.take()
            self._write({"kind": "step", "epoch": epoch, "step": step, "seconds": round(self.seconds, 2), **means})
            done = epoch - 1 + step / max(self.status.steps, 1)
            self.say(step=step, seconds=self.seconds, left_s=self._left(done))

    def learnt(self) -> dict[str, float]:
        """Return the means of the epoch's batches and start anew.

        Raises:
            TrainingError: they are no longer finite.
        """
        self._second.take()
        return self._epoch.take()

    def epoch(self, epoch: int, numbers: Mapping[str, float]) -> None:
        """Write the figures of an epoch."""
        rounded = {name: round(float(value), 6) for name, value in numbers.items()}
        self._write({"kind": "epoch", "epoch": epoch, "seconds": round(self.seconds, 2), **rounded})
        if self._tracker is not None:
            self._tracker.numbers(rounded, epoch)
        log.info("epoch %d: %s", epoch, ", ".join(f"{name} {value:.4g}" for name, value in rounded.items()))
        self.say(epoch=epoch, step=0, seconds=self.seconds, left_s=self._left(float(epoch)))

    def picture(self, epoch: int, image: RGBImage | None) -> None:
        """Keep a picture of what is learnt."""
        if image is None or not self.writes:
            return
        self.run.samples.mkdir(exist_ok=True)
        (self.run.samples / f"epoch-{epoch:05d}.png").write_bytes(encode_png(image))
        if self._tracker is not None:
            self._tracker.picture("samples", image, epoch)

    def start_epochs(self) -> None:
        """Note that the first epoch of this process starts now; the time left is estimated from here."""
        self._from = (float(self.status.epoch), self.seconds)

    def _left(self, done: float) -> float | None:
        epochs, seconds = self._from
        if done <= epochs:
            return None
        return round((self.seconds - seconds) / (done - epochs) * (self.status.epochs - done), 1)

    def _write(self, line: Mapping[str, Any]) -> None:
        if self.writes:
            self.run.add_stats(line)

    def _heartbeat(self) -> None:
        waited = 0
        while not self._over.wait(HEARTBEAT_S):
            try:
                self.say()
            except StorageError as error:
                log.warning("%s", error)
            # The loop looks for the request after every batch; a long step or the reading of images is broken off.
            waited = waited + 1 if self.run.asked_to_stop() and not self.run.asked_to_finish() else 0
            if waited == STOP_BEATS:
                _thread.interrupt_main()


class Means:
    """Means of numbers by name; tensors stay on their device until they are asked for."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor | float] = {}
        self._count = 0

    def add(self, numbers: Mapping[str, Tensor | float]) -> None:
        """Add the numbers of one batch."""
        for name, value in numbers.items():
            self._sums[name] = self._sums.get(name, 0.0) + (value.detach() if isinstance(value, Tensor) else value)
        self._count += 1

    def take(self) -> dict[str, float]:
        """Return the means and forget them.

        Raises:
            TrainingError: one is not finite.
        """
        means = {name: round(float(total) / max(self._count, 1), 6) for name, total in self._sums.items()}
        self._sums, self._count = {}, 0
        check_finite(means)
        return means


def check_finite(numbers: Mapping[str, float]) -> None:
    """Refuse numbers that are not finite.

    Raises:
        TrainingError: one of them is NaN or infinite.
    """
    wrong = [name for name, value in numbers.items() if not math.isfinite(value)]
    if wrong:
        raise TrainingError(
            f"The training diverged: {', '.join(wrong)} is no longer a number. Lower the learning rate "
            "(by ten, say), keep gradient clipping on, or train in 32 bit; then start a new run."
        )
