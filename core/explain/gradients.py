"""Activations and gradients of several layers, from one forward and one backward pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import InvalidOptionError
from core.models.transforms import Normalised
from core.models.weights import LoadedModel
from core.types import RGBImage

LAYERS: dict[str, dict[str, str]] = {
    "ihcnet": {name: f"backbone.{name}" for name in ("conv0", *(f"denseblock{index}" for index in range(1, 5)))},
    "simple_cnn": {"conv1": "conv1", "conv2": "conv2"},
}
"""Layers that can be explained, shallow to deep, and where they are in the network."""


@dataclass(frozen=True)
class Captured:
    """What one layer returned, and how the target class changes with it.

    Attributes:
        activations, gradients: (N, channels, h, w) float32.
    """

    activations: npt.NDArray[np.float32]
    gradients: npt.NDArray[np.float32]


def capture(loaded: LoadedModel, tiles: RGBImage, *, target: int, layers: Sequence[str]) -> dict[str, Captured]:
    """Run one forward and one backward pass under the model's lock.

    Args:
        tiles: (N, px, px, 3) uint8 RGB.
        target: class index whose logit is differentiated.
    Raises:
        InvalidOptionError: there is no such layer.
    """
    known = LAYERS.get(loaded.card.name, {})
    for layer in layers:
        if layer not in known:
            raise InvalidOptionError(
                f"{loaded.card.title} has no layer {layer!r} to explain; choose from {', '.join(known) or 'none'}."
            )
    outputs: dict[str, Tensor] = {}
    # Hooks belong to a module, not to a thread: without the lock another user's pass would be captured too.
    with loaded.lock, torch.inference_mode(False), torch.enable_grad():
        handles = [_keep_output(loaded.module.get_submodule(known[layer]), layer, outputs) for layer in layers]
        try:
            batch = Normalised(loaded.card, loaded.module).normalise(torch.from_numpy(tiles))
            logits = loaded.module(batch.requires_grad_())
            gradients = torch.autograd.grad(logits[:, target].sum(), [outputs[layer] for layer in layers])
        finally:
            for handle in handles:
                handle.remove()
    return {
        layer: Captured(outputs[layer].detach().float().numpy(), gradient.float().numpy())
        for layer, gradient in zip(layers, gradients, strict=True)
    }


def _keep_output(module: nn.Module, layer: str, outputs: dict[str, Tensor]) -> torch.utils.hooks.RemovableHandle:
    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        outputs[layer] = output

    return module.register_forward_hook(keep)
