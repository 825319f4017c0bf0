"""From HER2 tiles to one score for the image. (Provisional until the fitted rule is here.)"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.labels import INSUFFICIENT, Her2Score


@dataclass(frozen=True)
class Aggregate:
    """The answer for one image."""

    outcome: str
    probabilities: tuple[float, ...]
    prediction_set: tuple[str, ...]
    rule: str
    rule_label: str | None = None
    rule_text: str = ""


def aggregate_her2(
    tile_probs: npt.NDArray[np.float32],
    features: npt.NDArray[np.float32],  # noqa: ARG001
    tissue: npt.NDArray[np.float64],  # noqa: ARG001
    calibration: Mapping[str, float],  # noqa: ARG001
) -> Aggregate:
    """Mean of the tiles."""
    if len(tile_probs) == 0:
        return Aggregate(INSUFFICIENT, (), (), "No tile holds enough tissue to be scored.")
    probs = tile_probs.mean(axis=0)
    label = list(Her2Score)[int(probs.argmax())].value
    return Aggregate(label, tuple(float(p) for p in probs), (label,), "Mean of all tissue tiles.")
