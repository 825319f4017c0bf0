"""One batch out of the requests of several threads."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from core.types import RGBImage

Run = Callable[[RGBImage], npt.NDArray[np.float32]]
"""(N, H, W, 3) uint8 to (N, ...) float32."""

Given = TypeVar("Given", bound=np.generic)
Answered = TypeVar("Answered", bound=np.generic)


class _Request(Generic[Given, Answered]):
    def __init__(self, images: npt.NDArray[Given]) -> None:
        self.images = images
        self.answer: npt.NDArray[Answered] | None = None
        self.error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None


class Batcher(Generic[Given, Answered]):
    """Lets threads share one network, and gathers those that wait into one batch.

    Nobody waits for company: whoever comes first runs at once; those who come meanwhile queue up, and the next to get
    the turn runs all of them together. No thread of its own, so nothing has to be stopped.
    """

    def __init__(self, run: Callable[[npt.NDArray[Given]], npt.NDArray[Answered]], *, max_batch: int) -> None:
        self._run = run
        self._max_batch = max_batch
        self._waiting: deque[_Request[Given, Answered]] = deque()
        self._guard = threading.Lock()
        self._turn = threading.Lock()

    def __call__(self, images: npt.NDArray[Given]) -> npt.NDArray[Answered]:
        """Run the network on N images (or what they are made from), in as many batches as it takes; N answers."""
        step = self._max_batch
        return np.concatenate([self._ask(images[start : start + step]) for start in range(0, len(images), step)])

    def _ask(self, images: npt.NDArray[Given]) -> npt.NDArray[Answered]:
        request: _Request[Given, Answered] = _Request(images)
        with self._guard:
            self._waiting.append(request)
        while not request.done:
            with self._turn:
                if not request.done:  # somebody else's batch may have held it
                    self._serve(self._gather())
        if request.answer is None:
            raise request.error or RuntimeError("the network gave no answer")
        return request.answer

    def _gather(self) -> list[_Request[Given, Answered]]:
        gathered: list[_Request[Given, Answered]] = []
        with self._guard:
            size = 0
            while self._waiting and size + len(self._waiting[0].images) <= self._max_batch:
                gathered.append(self._waiting.popleft())
                size += len(gathered[-1].images)
        return gathered

    def _serve(self, requests: list[_Request[Given, Answered]]) -> None:
        try:
            images = [request.images for request in requests]
            answers = self._run(images[0] if len(images) == 1 else np.concatenate(images))
            start = 0
            for request in requests:
                request.answer = answers[start : start + len(request.images)]
                start += len(request.images)
        except (RuntimeError, ValueError, MemoryError) as error:
            for request in requests:
                request.error = error
        finally:
            for request in requests:  # whatever stopped this thread, nobody may wait for ever
                if not request.done:
                    request.error = RuntimeError("the batch was interrupted; try again")
