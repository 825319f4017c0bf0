"""Heat maps of single tiles, laid together over the field they came from."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from core.explain.cam import explain
from core.inference.engine import Engine
from core.labels import CamMethod, Marker
from core.models.card import ModelCard
from core.slides.tiling import Box
from core.types import Heatmap, Pictures, RGBImage, TileResult

BATCH = 4
"""Tiles explained in one forward and one backward pass."""

MAX_EXPLAINED = {Marker.HER2: 24, Marker.PR: 256}
"""Tiles that get a heat map: those that support the explained class most. The others are scored, not explained."""


def worth_explaining(tiles: Sequence[TileResult], card: ModelCard, target: str) -> tuple[int, ...]:
    """Indices of the tiles that support a class most, best first."""
    support = support_of(tiles, card, target)
    order = sorted(range(len(tiles)), key=lambda tile: -support[tile])
    return tuple(order[: MAX_EXPLAINED[card.marker or Marker.HER2]])


def support_of(tiles: Sequence[TileResult], card: ModelCard, target: str) -> list[float]:
    """Probability of a class in each tile."""
    index = card.labels.index(target)
    return [tile.probabilities[index] for tile in tiles]


def mark_explained(tiles: Sequence[TileResult], explained: Sequence[int]) -> tuple[TileResult, ...]:
    """The tiles, each knowing whether its heat map is shown."""
    return tuple(replace(tile, explained=index in explained) for index, tile in enumerate(tiles))


def explain_tiles(
    engine: Engine,
    card: ModelCard,
    inputs: RGBImage,
    boxes: Sequence[Box],
    support: Sequence[float],
    *,
    size: tuple[int, int],
    target: str,
    layers: Sequence[str],
    method: CamMethod,
) -> dict[str, Heatmap]:
    """Explain some tiles and lay their heat maps over the whole field.

    A tile's own heat map always reaches 1, however little the tile speaks for the class; so it is weighted by the
    tile's probability of the class, relative to the tile where that is largest.

    Args:
        inputs: (N, px, px, 3) uint8 RGB at the network's input size.
        boxes: N boxes in pixels of the field.
        support: N probabilities of the class.
        size: (width, height) of the field.
        target: class that is explained.
    Returns:
        layer -> (height, width) float32 in [0, 1]; NaN where no tile was explained. Where tiles overlap, the larger
        value is kept.
    """
    width, height = size
    fields = {layer: np.full((height, width), np.nan, np.float32) for layer in layers}
    loaded, index = engine.model(card.name), card.labels.index(target)
    weights = np.asarray(support, np.float32) / max(max(support, default=0.0), 1e-9)
    for start in range(0, len(inputs), BATCH):
        maps = explain(loaded, inputs[start : start + BATCH], target=index, layers=layers, method=method)
        for layer, heatmaps in maps.items():
            for box, weight, heatmap in zip(boxes[start:], weights[start:], heatmaps, strict=False):
                field = fields[layer][box.y : box.y + box.height, box.x : box.x + box.width]
                resized = cv2.resize(heatmap, (field.shape[1], field.shape[0]), interpolation=cv2.INTER_LINEAR)
                np.fmax(field, np.clip(weight * resized, 0, 1), out=field)
    return fields


def explain_chosen(
    engine: Engine,
    card: ModelCard,
    tiles: tuple[TileResult, ...],
    chosen: Sequence[int],
    inputs: RGBImage,
    pictures: Pictures,
    size: tuple[int, int],
    target: str,
    layers: Sequence[str],
    method: CamMethod,
) -> tuple[tuple[TileResult, ...], Pictures]:
    """Return the tiles, the chosen ones marked, and the pictures with their heat maps.

    Args:
        chosen: indices of the tiles to explain; `inputs` is what the network saw of them.
        size: (width, height) of the upload in pixels.
    """
    height, width = pictures.image.shape[:2]
    heatmaps = explain_tiles(
        engine,
        card,
        inputs,
        [box_of(tiles[index]).scaled(width / size[0]) for index in chosen],
        support_of([tiles[index] for index in chosen], card, target),
        size=(width, height),
        target=target,
        layers=layers,
        method=method,
    )
    return mark_explained(tiles, chosen), replace(pictures, heatmaps=heatmaps)


def box_of(tile: TileResult) -> Box:
    """The field of a tile, in pixels of the upload."""
    return Box(tile.x, tile.y, tile.width, tile.height)
