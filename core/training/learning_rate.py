"""How the learning rate changes while a run goes on."""

import math
from typing import Any

from core.training.config import Schedule, TrainConfig

PLATEAU_FACTOR = 0.3
PLATEAU_PATIENCE = 3
"""Epochs without improvement after which the rate falls."""


class LearningRate:
    """The rate at any point of a run, as a factor of the configured one."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self._factor = 1.0
        self._best: float | None = None
        self._waited = 0

    def at(self, progress: float) -> float:
        """Return the learning rate after `progress` epochs, fractions included."""
        config = self._config
        warm = min(1.0, (progress + 1e-3) / config.warmup) if config.warmup else 1.0
        if config.schedule is Schedule.COSINE:
            done = max(0.0, progress - config.warmup) / max(config.epochs - config.warmup, 1)
            return config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
        return config.learning_rate * warm * self._factor

    def end_epoch(self, loss: float) -> None:
        """Note the validation loss: the plateau schedule falls where it no longer does."""
        if self._config.schedule is not Schedule.PLATEAU:
            return
        if self._best is None or loss < self._best:
            self._best, self._waited = loss, 0
            return
        self._waited += 1
        if self._waited > PLATEAU_PATIENCE:
            self._factor, self._waited = self._factor * PLATEAU_FACTOR, 0

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"factor": self._factor, "best": self._best, "waited": self._waited}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from such a state."""
        self._factor, self._best, self._waited = state["factor"], state["best"], state["waited"]
