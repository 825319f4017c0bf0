"""Named steps: what the progress bar shows and what the provenance records are the same words."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from core.types import Progress


class Stopwatch:
    """Times named steps and reports them as progress.

    Attributes:
        seconds: step -> seconds spent in it so far.
    """

    def __init__(self, progress: Progress, steps: int) -> None:
        self._progress = progress
        self._steps = steps
        self._done = 0
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[Progress]:
        """Time one step; yields a progress function for its parts ("scoring 12 of 64 tiles")."""
        self._progress(name, self._done, self._steps)
        start = time.perf_counter()

        def part(_what: str, done: int, total: int) -> None:
            words = f"{name}: {done} of {total} tiles" if total > 1 else name
            self._progress(words, self._done, self._steps)

        yield part
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 4)
        self._done += 1
        self._progress(name, min(self._done, self._steps), self._steps)
