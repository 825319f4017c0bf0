"""What a recipe gives to the loop."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from core.training.run_folder import RunFolder
from core.types import RGBImage

Numbers = dict[str, float]


@dataclass(frozen=True)
class Goal:
    """What decides which weights are the best.

    Attributes:
        name: key in the figures of an epoch.
        title: in the user's words.
    """

    name: str
    title: str
    higher_is_better: bool = False

    def better(self, value: float, best: float | None) -> bool:
        """Whether a value beats the best so far."""
        return best is None or (value > best if self.higher_is_better else value < best)


class Task(Protocol):
    """One recipe: networks, data, one step, one epoch's figures. The loop knows nothing else of it.

    Everything random is drawn from (seed, epoch), so that a run that goes on from a checkpoint repeats what it lost.
    """

    goal: Goal

    def steps(self) -> int:
        """Return the batches of one epoch."""

    def batches(self, epoch: int) -> Iterator[Any]:
        """Yield the batches of one epoch (from 1), as far as possible on the device."""

    def step(self, batch: Any, progress: float) -> Mapping[str, Tensor | float]:
        """Learn from one batch.

        Args:
            progress: epochs done so far, with fractions.
        Returns:
            Its numbers by name; "loss" among them. Tensors are not read before they are shown.
        """

    def end_epoch(self, epoch: int) -> Numbers:
        """Return the figures of an epoch, the goal's among them."""

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on: tensors, numbers, strings, lists and dictionaries of them."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state."""

    def best_weights(self) -> dict[str, Tensor]:
        """Return the present weights in the published layout."""

    def draw(self, epoch: int) -> RGBImage | None:
        """Return a picture of what is learnt, (H, W, 3) uint8 RGB; None where there is nothing to see."""

    def finish(self, run: RunFolder, weights: Path) -> dict[str, Any]:
        """Judge the best weights on what was held out; pictures go into the run folder."""
