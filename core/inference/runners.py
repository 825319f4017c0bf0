"""The backends: each turns one network into a function from pixels to float32."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from core.devices import Backend, cores
from core.inference.batching import Run
from core.models.card import ModelCard, Task
from core.models.resnet_generator import ResnetGenerator, fold_spectral_norm, upsample_bilinearly
from core.models.transforms import Normalised, NormalisedWithFeatures
from core.types import RGBImage

BATCH_SIZES: dict[Task, tuple[int, ...]] = {Task.CLASSIFICATION: (4, 1), Task.VIRTUAL_STAINING: (1,)}
"""Sizes that OpenVINO compiles, largest first. Larger ones are no faster (IHCNet in bfloat16 on 2 cores: 84 images/s at
4, 88 at 16), and each costs memory."""

STREAMS = 4
"""Tiles that are stained side by side at most, each on its share of the cores. On 2 cores two at once take 0.78 of the
time that they take one after the other."""


def batch_sizes(card: ModelCard) -> tuple[int, ...]:
    """Return the batch sizes at which a network runs, largest first."""
    return BATCH_SIZES.get(card.task, (1,))


def build_runner(backend: Backend, card: ModelCard, load: Callable[[], nn.Module], *, cache: Path | None = None) -> Run:
    """Return the network as a function from (N, H, W, 3) uint8 to (N, ...) float32.

    That of a classifier returns (N, C + F): its C logits, then its F pooled features.

    Args:
        load: returns the network in evaluation mode; called only where no converted copy is kept.
        cache: path without suffix where OpenVINO's converted copy is kept; None keeps none.
    """
    if backend in (Backend.OPENVINO_BF16, Backend.OPENVINO_F32):
        return _openvino_runner(card, load, precise=backend is Backend.OPENVINO_F32, cache=cache)
    return TorchRunner(card, load(), cuda=backend is Backend.TORCH_CUDA)


def for_inference(card: ModelCard, network: nn.Module) -> Normalised:
    """Return an independent copy on the CPU that takes pixels, spectral norm folded into the weights."""
    copy = card.build()
    copy.load_state_dict(network.state_dict())
    copy.eval().requires_grad_(False)
    if isinstance(copy, ResnetGenerator):
        fold_spectral_norm(copy)
        upsample_bilinearly(copy)
    wrap = NormalisedWithFeatures if card.task is Task.CLASSIFICATION else Normalised
    return wrap(card, copy).eval()


class TorchRunner:
    """Plain torch, channels-last; half precision on CUDA, float32 on the CPU."""

    def __init__(self, card: ModelCard, network: nn.Module, *, cuda: bool) -> None:
        self._device = torch.device("cuda" if cuda else "cpu")
        self._network = for_inference(card, network).to(self._device).to(memory_format=torch.channels_last)
        self._cuda = cuda

    def __call__(self, images: RGBImage) -> npt.NDArray[np.float32]:
        """Run one batch."""
        batch = torch.from_numpy(np.ascontiguousarray(images))
        if self._cuda:
            batch = batch.pin_memory().to(self._device, non_blocking=True)
        with torch.inference_mode(), torch.autocast(self._device.type, torch.float16, enabled=self._cuda):
            answer = self._network(batch)
        parts = answer if isinstance(answer, tuple) else (answer,)
        return _side_by_side([part.float().cpu().numpy() for part in parts])


def _openvino_runner(card: ModelCard, load: Callable[[], nn.Module], *, precise: bool, cache: Path | None) -> Run:
    from core.inference.openvino_graph import OpenVinoGraph  # only here: torch alone is enough for the other backends

    side = card.input_px
    # Convolutions alone can be traced on a small image, which is faster; SimpleCNN's linear layer fixes its size.
    example_px = min(side, 128)
    graph = OpenVinoGraph(
        lambda: for_inference(card, load()),
        [torch.zeros(1, example_px, example_px, 3, dtype=torch.uint8)],
        [(side, side, 3)],
        batch_sizes=batch_sizes(card),
        precise=precise,
        cache=cache,
        streams=min(STREAMS, cores()) if card.task is Task.VIRTUAL_STAINING else 1,
    )
    return lambda images: _side_by_side(graph(images))


def _side_by_side(outputs: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """One array of several outputs; here and not in the graph, where bfloat16 would round logits and features."""
    return np.ascontiguousarray(outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=1))
