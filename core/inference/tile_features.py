"""What the PR classifier sees in tiles: the space in which synthetic images are held against real ones."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import InvalidOptionError
from core.inference.engine import Engine
from core.models.registry import get_card
from core.models.simple_cnn import SimpleCNN
from core.types import Progress, RGBImage, no_progress

NETWORK = "simple_cnn"
"""The model whose features they are."""

ACTIVATIONS, WIDTH = 128, 256
"""Activations that the last layer sees, and all features of a tile: those, mean and deviation of 64 maps."""

BATCH = 16
"""Tiles at a time: what a batch leaves in memory still fits the processor's cache."""


def tile_features(engine: Engine, tiles: RGBImage, *, progress: Progress = no_progress) -> npt.NDArray[np.float32]:
    """Describe tiles as the active PR classifier sees them.

    Args:
        tiles: (N, 128, 128, 3) uint8 RGB.
        progress: told after every batch.
    Returns:
        (N, 256) float32, not scaled: `core.quality.neighbours` and `core.quality.health` take them as they are.
    Raises:
        ModelUnavailableError: the classifier's weights are missing or unusable.
        InvalidOptionError: the tiles have another shape.
    """
    side = get_card(NETWORK).input_px
    if tiles.dtype != np.uint8 or tiles.ndim != 4 or tiles.shape[1:] != (side, side, 3):
        raise InvalidOptionError(f"Tiles of (N, {side}, {side}, 3) uint8 were expected, not {tiles.shape}.")
    loaded = engine.model(NETWORK)
    network = loaded.module
    if not isinstance(network, SimpleCNN):
        raise InvalidOptionError(f"{loaded.card.title} has no features of this kind.")
    device = next(network.parameters()).device
    found = np.empty((len(tiles), WIDTH), np.float32)
    for start in range(0, len(tiles), BATCH):
        progress("looking at tiles", start, len(tiles))
        with loaded.lock:
            found[start : start + BATCH] = describe(network, tiles[start : start + BATCH], device)
    return found


@torch.inference_mode()
def see(network: SimpleCNN, batch: Tensor) -> Tensor:
    """Return (N, 256) features of (N, 3, 128, 128) RGB in [-1, 1].

    The 128 activations before the last layer hold how much of a tile is stained; mean and deviation of the 64 maps
    before those hold what the tile looks like.
    """
    features = F.relu_(network.pool(network.conv1(batch)))  # pooled first: the same values from a quarter of the work
    maps = F.relu_(network.pool(network.conv2(features)))
    last = F.relu_(network.fc1(maps.flatten(1)))
    return torch.cat([last, maps.mean((2, 3)), maps.std((2, 3))], dim=1)


def describe(network: SimpleCNN, tiles: RGBImage, device: torch.device) -> npt.NDArray[np.float32]:
    """Return (N, 256) features of (N, 128, 128, 3) uint8 RGB tiles, of a network that nobody else uses meanwhile."""
    pixels = torch.from_numpy(np.require(tiles, requirements=["C", "W"])).to(device)
    batch = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0
    found: npt.NDArray[np.float32] = see(network, batch).cpu().numpy()
    return found
