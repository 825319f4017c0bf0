"""Activations and gradients of several layers, from one forward and one backward pass."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.errors import InvalidOptionError
from core.models.transforms import Normalised
from core.models.weights import Captured, LoadedModel
from core.types import RGBImage

LAYERS: dict[str, dict[str, str]] = {
    "ihcnet": {name: f"backbone.{name}" for name in ("conv0", *(f"denseblock{index}" for index in range(1, 5)))},
    "simple_cnn": {"conv1": "conv1", "conv2": "conv2"},
}
"""Layers that can be explained, shallow to deep, and where they are in the network."""


def capture(
    loaded: LoadedModel, tiles: RGBImage, *, target: int, layers: Sequence[str], exact: bool = False
) -> dict[str, Captured]:
    """Run one forward and one backward pass under the model's lock.

    Args:
        tiles: (N, px, px, 3) uint8 RGB.
        target: class index whose logit is differentiated.
        exact: float32 through torch even where the backend has a faster, less precise way.
    Raises:
        InvalidOptionError: there is no such layer.
    """
    known = LAYERS.get(loaded.card.name, {})
    for layer in layers:
        if layer not in known:
            raise InvalidOptionError(
                f"{loaded.card.title} has no layer {layer!r} to explain; choose from {', '.join(known) or 'none'}."
            )
    with loaded.lock:
        if loaded.gradients is not None and not exact:
            captured = loaded.gradients(tiles, target)
            return {layer: captured[layer] for layer in layers}
        return _autograd(loaded, tiles, target, {layer: known[layer] for layer in layers})


def _autograd(loaded: LoadedModel, tiles: RGBImage, target: int, layers: dict[str, str]) -> dict[str, Captured]:
    """Run the network with hooks. Hooks belong to a module, not to a thread: call it under the model's lock."""
    outputs: dict[str, Tensor] = {}
    device = next(loaded.module.parameters()).device
    normalised = Normalised(loaded.card, loaded.module).to(device)
    handles = [_keep_output(loaded.module.get_submodule(path), layer, outputs) for layer, path in layers.items()]
    try:
        # Autograd, whatever mode the caller is in. The parameters are frozen, so only activations are differentiated.
        with torch.inference_mode(False), torch.enable_grad():
            batch = normalised.normalise(torch.from_numpy(tiles).to(device))
            logits = loaded.module(batch.requires_grad_())
            gradients = torch.autograd.grad(logits[:, target].sum(), [outputs[layer] for layer in layers])
    finally:
        for handle in handles:
            handle.remove()
    return {
        layer: Captured(outputs[layer].detach().cpu().numpy(), gradient.cpu().numpy())
        for layer, gradient in zip(layers, gradients, strict=True)
    }


def _keep_output(module: nn.Module, layer: str, outputs: dict[str, Tensor]) -> torch.utils.hooks.RemovableHandle:
    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        outputs[layer] = output

    return module.register_forward_hook(keep)
