"""Held-out tiles as a network answered them: what every figure of a run is computed from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from core.labels import Her2Score

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HeldOut:
    """Tiles that the network never learnt from, and its answers.

    Attributes:
        logits: (N, C) before any temperature.
        labels: (N,) true class.
        cases: (N,) name of each tile's case; its file's where cases are unknown.
        classes: names in the order of the logits.
        cases_known: False where tiles of one patient may lie on both sides of the split.
    """

    logits: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    cases: npt.NDArray[np.str_]
    classes: tuple[str, ...]
    cases_known: bool = True

    def probs(self, temperature: float = 1.0) -> Floats:
        """Return (N, C) probabilities."""
        return np.asarray(softmax(self.logits.astype(np.float64) / temperature, axis=1))

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """The likeliest class of each tile."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)

    @property
    def ordered(self) -> bool:
        """The classes are grades, one above the other."""
        return is_ordered(self.classes)


def is_ordered(classes: tuple[str, ...]) -> bool:
    """Whether classes are grades: HER2 scores, or numbers in ascending order. Two classes need no order."""
    scores = [score.value for score in Her2Score]
    if len(classes) > 2 and set(classes) <= set(scores):
        return [scores.index(label) for label in classes] == sorted(scores.index(label) for label in classes)
    numbers = [float(label) for label in classes if label.replace(".", "", 1).isdigit()]
    return len(classes) > 2 and len(numbers) == len(classes) and numbers == sorted(numbers)
