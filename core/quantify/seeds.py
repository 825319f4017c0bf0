"""Where nuclei are in one block of an image, before their outlines are drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.types import Heatmap, RGBImage

Detect = Callable[[RGBImage], npt.NDArray[np.float32]]
"""(N, S, S, 3) uint8 tiles at 0.5 um/px, balanced -> (N, 3, S', S') maps in [0, 1]: positive, negative, inside."""


@dataclass(frozen=True)
class Seeds:
    """Nuclei of one block at the working scale.

    Attributes:
        centres: (N, 2) float32, x and y in pixels of the block.
        positive: (N,) bool, stained.
        confidence: (N,) float32 in [0, 1].
        inside: (H, W) float32 in [0, 1], probability that a pixel belongs to a nucleus; None where the method has none.
    """

    centres: npt.NDArray[np.float32]
    positive: npt.NDArray[np.bool_]
    confidence: npt.NDArray[np.float32]
    inside: Heatmap | None = None
