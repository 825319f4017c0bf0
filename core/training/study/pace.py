"""How far a study is and how long it will still take, from how long its parts took."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from core.errors import CancelledError
from core.training.reporter import TICK_S, Reporter, check_finite
from core.training.run_folder import RunFolder
from core.training.study.plan import Part, Work


class Pace:
    """Reports the batches of one part after the other, and ends the work where somebody asked for it."""

    def __init__(self, run: RunFolder, reporter: Reporter, done: Iterable[Mapping[str, Any]]) -> None:
        self._run, self._reporter = run, reporter
        self._took: dict[str, list[float]] = {work.value: [] for work in Work}
        for line in done:
            self._took[str(line["kind"])].append(float(line.get("seconds", 0.0)))
        self._ahead: Sequence[Part] = ()
        self._began = self._ticked = 0.0

    def start(self, part: Part, *, done: int, ahead: Sequence[Part]) -> None:
        """Begin a part.

        Args:
            done: parts that are done; `ahead` are those after this one.
        """
        self._ahead, self._part = ahead, part
        self._began, self._ticked = time.monotonic(), 0.0
        self._reporter.say(epoch=done, step=0, steps=0, message=part.title, seconds=self._reporter.seconds)

    def tick(self, step: int, steps: int, loss: Tensor | float) -> None:
        """Report a batch; about once a second it is written.

        Raises:
            CancelledError: somebody asked the run to stop.
            TrainingError: the loss is no number any more.
        """
        if self._run.asked_to_stop():
            raise CancelledError("The study was asked to stop.")
        if time.monotonic() - self._ticked < TICK_S and step < steps:
            return
        self._ticked = time.monotonic()
        check_finite({"loss": float(loss)})
        left = self._left(step / steps if steps else 0.0)
        self._reporter.say(step=step, steps=steps, seconds=self._reporter.seconds, left_s=left)

    def report(self, done: int, total: int) -> None:
        """Report images that are drawn, as `tick` reports batches."""
        self.tick(done, total, 0.0)

    def end(self) -> float:
        """End the part; returns how many seconds it took."""
        took = time.monotonic() - self._began
        self._took[self._part.work.value].append(took)
        return took

    def _left(self, share: float) -> float | None:
        spent = time.monotonic() - self._began
        means = {kind: sum(took) / len(took) for kind, took in self._took.items() if took}
        if share > 0.05:
            means.setdefault(self._part.work.value, spent / share)
        needed = {part.work.value for part in self._ahead} | {self._part.work.value}
        if not needed - {Work.FILTER.value} <= means.keys():
            return None
        rest = max(0.0, means.get(self._part.work.value, spent) - spent)
        return round(rest + sum(means.get(part.work.value, 0.0) for part in self._ahead), 1)
