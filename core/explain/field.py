"""Heat maps of single tiles, laid together over the field they came from."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from core.explain.cam import explain
from core.inference.engine import Engine
from core.labels import CamMethod
from core.slides.tiling import Box
from core.types import Heatmap

BATCH = 4
"""Tiles explained in one forward and one backward pass."""


def explain_tiles(
    engine: Engine,
    name: str,
    tiles: npt.NDArray[np.uint8],
    boxes: Sequence[Box],
    *,
    size: tuple[int, int],
    target: int,
    layers: Sequence[str],
    method: CamMethod,
) -> dict[str, Heatmap]:
    """Explain some tiles and lay their heat maps over the whole field.

    Args:
        tiles: (N, px, px, 3) uint8 RGB at the network's input size.
        boxes: N boxes in pixels of the field.
        size: (width, height) of the field.
        target: class index that is explained.
    Returns:
        layer -> (height, width) float32 in [0, 1]; NaN where no tile was explained. Where tiles overlap, the larger
        value is kept.
    """
    width, height = size
    fields = {layer: np.full((height, width), np.nan, np.float32) for layer in layers}
    loaded = engine.model(name)
    for start in range(0, len(tiles), BATCH):
        maps = explain(loaded, tiles[start : start + BATCH], target=target, layers=layers, method=method)
        for layer, heatmaps in maps.items():
            for box, heatmap in zip(boxes[start : start + BATCH], heatmaps, strict=True):
                field = fields[layer][box.y : box.y + box.height, box.x : box.x + box.width]
                resized = cv2.resize(heatmap, (field.shape[1], field.shape[0]), interpolation=cv2.INTER_LINEAR)
                np.fmax(field, np.clip(resized, 0, 1), out=field)
    return fields
