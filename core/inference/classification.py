"""Tiles of one image to class probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.inference.engine import Engine
from core.models.registry import get_card
from core.slides.tiling import Box
from core.types import Progress, RGBImage, no_progress

CHUNK = 16
"""Tiles between two reports of progress; small enough that other users get their turn."""


def prepare_tiles(image: RGBImage, boxes: Sequence[Box], input_px: int) -> RGBImage:
    """Cut tiles out of an image and bring them to the network's input size.

    Args:
        image: (H, W, 3) uint8 RGB.
        boxes: in pixels of `image`; what reaches beyond its edge is left out.
    Returns:
        (N, input_px, input_px, 3) uint8 RGB; shrunk by averaging areas, enlarged linearly.
    """
    tiles = np.empty((len(boxes), input_px, input_px, 3), np.uint8)
    for tile, box in zip(tiles, boxes, strict=True):
        field = image[max(0, box.y) : box.y + box.height, max(0, box.x) : box.x + box.width]
        shrinks = field.shape[0] >= input_px and field.shape[1] >= input_px
        cv2.resize(field, (input_px, input_px), dst=tile, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return tiles


@dataclass(frozen=True)
class Classified:
    """The tiles of one image as a network sees them.

    Attributes:
        probs: (N, C) float32 in the order of the card's labels, each row summing to 1.
        features: (N, F) float32, pooled; (0, 0) without tiles.
    """

    probs: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]


def classify_tiles(engine: Engine, name: str, tiles: RGBImage, progress: Progress = no_progress) -> Classified:
    """Return class probabilities, calibrated where the weights come with a temperature, and features.

    Args:
        tiles: (N, px, px, 3) uint8 RGB at the network's input size.
    Raises:
        ModelUnavailableError: the weights are missing or unusable.
        CancelledError: raised by `progress`.
    """
    probs, features = [np.zeros((0, len(get_card(name).labels)), np.float32)], []
    temperature = temperature_of(engine.extras(name))
    for start in range(0, len(tiles), CHUNK):
        progress("scoring tiles", start, len(tiles))
        logits, found = engine.classify_with_features(name, tiles[start : start + CHUNK])
        probs.append(softmax(logits / temperature))
        features.append(found)
    progress("scoring tiles", len(tiles), len(tiles))
    return Classified(np.concatenate(probs), np.concatenate(features) if features else np.zeros((0, 0), np.float32))


def temperature_of(extras: Mapping[str, object]) -> float:
    """Return the temperature of `[models.NAME.calibration]` in the manifest; 1 where there is none."""
    calibration = extras.get("calibration")
    value = calibration.get("temperature", 1.0) if isinstance(calibration, Mapping) else 1.0
    return float(value) if isinstance(value, int | float) and value > 0 else 1.0


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return probabilities of (N, C) logits, row by row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
