"""Activations and gradients of IHCNet through OpenVINO, several times faster than torch on the CPU."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.devices import Backend
from core.inference.openvino_graph import OpenVinoGraph
from core.models.card import ModelCard
from core.models.ihcnet import IHCNet
from core.models.ihcnet_gradient import BLOCKS, GRADIENT_OUTPUTS, IHCNetGradient
from core.models.transforms import Normalised
from core.models.weights import Captured
from core.types import RGBImage


class _OfPixels(nn.Module):
    """The gradient graph of a network that takes pixels."""

    def __init__(self, card: ModelCard, network: IHCNet) -> None:
        super().__init__()
        self.normalised = Normalised(card, nn.Identity())
        self.gradient = IHCNetGradient(network)

    def forward(self, images: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        outputs: tuple[Tensor, ...] = self.gradient(self.normalised.normalise(images), target)
        return outputs


class IHCNetGradients:
    """Forward and backward pass of IHCNet in one compiled graph, made when first used. One caller at a time."""

    def __init__(self, card: ModelCard, network: IHCNet, backend: Backend, *, cache: Path | None) -> None:
        self._card = card
        self._network = network
        self._precise = backend is Backend.OPENVINO_F32
        self._cache = cache
        self._graph: Callable[..., list[npt.NDArray[np.float32]]] | None = None

    def __call__(self, tiles: RGBImage, target: int) -> dict[str, Captured]:
        """Return activations and gradients of conv0 and denseblock1 to denseblock4.

        Args:
            tiles: (N, 224, 224, 3) uint8 RGB.
            target: class index whose logit is differentiated.
        """
        if self._graph is None:
            self._graph = self._build()
        chosen = np.zeros((len(tiles), len(self._card.labels)), np.float32)
        chosen[:, target] = 1
        outputs = dict(zip(GRADIENT_OUTPUTS, self._graph(tiles, chosen), strict=True))
        captured = {
            "conv0": Captured(outputs["conv0"], self._through_stem(outputs["conv0"], outputs["gradient of pool0"]))
        }
        for name in (f"denseblock{index}" for index in range(1, BLOCKS + 1)):
            captured[name] = Captured(outputs[name], outputs[f"gradient of {name}"])
        return captured

    def _through_stem(
        self, conv0: npt.NDArray[np.float32], gradient: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return the gradient of conv0's output, given that of the first pooling: max pooling needs torch."""
        _, norm0, _, pool0 = self._network.backbone[:4]
        with torch.inference_mode(False), torch.enable_grad():
            leaf = torch.from_numpy(conv0).requires_grad_()
            pooled = pool0(torch.relu(norm0(leaf)))
            (found,) = torch.autograd.grad(pooled, leaf, torch.from_numpy(gradient))
        return found.numpy()

    def _build(self) -> OpenVinoGraph:
        side, classes = self._card.input_px, len(self._card.labels)
        return OpenVinoGraph(
            lambda: _OfPixels(self._card, self._network).eval(),
            [torch.zeros(1, 64, 64, 3, dtype=torch.uint8), torch.zeros(1, classes)],
            [(side, side, 3), (classes,)],
            batch_sizes=(1,),  # four at once are no faster, but hold 1 GB
            precise=self._precise,
            cache=self._cache,
        )
