"""From pixels to what a network sees, and back: one place, so that it cannot drift between backends."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.models.card import ModelCard
from core.types import RGBImage


class Normalised(nn.Module):
    """A network that takes pixels: normalisation as its card states it, then the network."""

    scale: Tensor
    shift: Tensor

    def __init__(self, card: ModelCard, network: nn.Module) -> None:
        super().__init__()
        mean, std = torch.tensor(card.mean).view(1, 3, 1, 1), torch.tensor(card.std).view(1, 3, 1, 1)
        # One multiplication and one addition on whole numbers, which even bfloat16 holds exactly up to 256.
        self.register_buffer("scale", 1 / (255 * std), persistent=False)
        self.register_buffer("shift", -mean / std, persistent=False)
        self.network = network

    def normalise(self, images: Tensor) -> Tensor:
        """Return (N, 3, H, W) float32 of (N, H, W, 3) uint8 RGB."""
        batch = images.permute(0, 3, 1, 2).float()
        normalised: Tensor = batch * self.scale + self.shift
        return normalised

    def forward(self, images: Tensor) -> Tensor:
        """Run the network on (N, H, W, 3) uint8 RGB."""
        answer: Tensor = self.network(self.normalise(images))
        return answer


class NormalisedWithFeatures(Normalised):
    """A classifier that takes pixels and returns its pooled features beside the logits."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Run the network on (N, H, W, 3) uint8 RGB: (N, C) logits and (N, F) features."""
        network: Any = self.network  # every classifier here has `embed` and `classify`
        features: Tensor = network.embed(self.normalise(images))
        return network.classify(features), features


def to_pixels(batch: npt.NDArray[np.float32]) -> RGBImage:
    """Return (N, H, W, 3) uint8 of (N, 3, H, W) float RGB in [-1, 1]."""
    pixels = np.clip(np.rint((batch + 1) * 127.5), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
