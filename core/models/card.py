"""What is known about a network before its weights are read."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from torch import nn

from core.labels import Marker

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
"""Mean and standard deviation that bring [0, 1] to [-1, 1]."""


class Task(StrEnum):
    """What a network is for."""

    CLASSIFICATION = "classification"
    VIRTUAL_STAINING = "virtual staining"
    SYNTHESIS = "synthesis"
    DISCRIMINATION = "discrimination"
    DETECTION = "detection"


@dataclass(frozen=True)
class ModelCard:
    """One network: what it does, what it expects, how it is built.

    Attributes:
        name: key in `CARDS`, in the manifest and in results.
        marker: protein whose stain it reads or makes; None where it knows none.
        labels: classes in the order of the outputs; empty where it has none.
        input_px: side of the square input in pixels.
        tile_um: side of the field that one input covers, in micrometres.
        mean, std: per channel (R, G, B), of values in [0, 1]; the network sees (value - mean) / std.
        parameters: how many the network has.
        licence: terms of the architecture's publication; the weights' own terms are in their card.
        source: where it was published.
        build: makes the network with random weights.
        white_level: background that the tiles are brought to first; None leaves them as photographed.
    """

    name: str
    title: str
    task: Task
    marker: Marker | None
    labels: tuple[str, ...]
    input_px: int
    tile_um: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    parameters: int
    licence: str
    source: str
    build: Callable[[], nn.Module]
    white_level: float | None = None
