"""The backends: each turns one network into a function from pixels to float32."""

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from core.devices import Backend
from core.inference.batching import Run
from core.models.card import ModelCard, Task
from core.models.resnet_generator import ResnetGenerator, fold_spectral_norm
from core.models.transforms import Normalised
from core.types import RGBImage

logger = logging.getLogger(__name__)

BATCH_SIZES: dict[Task, tuple[int, ...]] = {Task.CLASSIFICATION: (4, 1), Task.VIRTUAL_STAINING: (1,)}
"""Sizes that OpenVINO compiles, largest first. Fixed, because with a free batch size its memory grows with every size
it meets (3.3 GB after 1, 4, 16 and 32); these need no padding, and each is compiled when first used."""


def batch_sizes(card: ModelCard) -> tuple[int, ...]:
    """Return the batch sizes at which a network runs, largest first."""
    return BATCH_SIZES.get(card.task, (1,))


def build_runner(backend: Backend, card: ModelCard, load: Callable[[], nn.Module], *, cache: Path | None = None) -> Run:
    """Return the network as a function from (N, H, W, 3) uint8 to (N, ...) float32.

    Args:
        load: returns the network in evaluation mode; called only where no converted copy is cached.
        cache: path without suffix where OpenVINO's converted copy is kept; None keeps none.
    """
    if backend in (Backend.OPENVINO_BF16, Backend.OPENVINO_F32):
        return OpenVinoRunner(card, load, precise=backend is Backend.OPENVINO_F32, cache=cache)
    return TorchRunner(card, load(), cuda=backend is Backend.TORCH_CUDA)


def for_inference(card: ModelCard, network: nn.Module) -> Normalised:
    """Return an independent copy that takes pixels, spectral norm folded into the weights."""
    copy = card.build()
    copy.load_state_dict(network.state_dict())
    copy.eval().requires_grad_(False)
    if isinstance(copy, ResnetGenerator):
        fold_spectral_norm(copy)
    return Normalised(card, copy).eval()


class TorchRunner:
    """Plain torch, channels-last; half precision on CUDA, float32 on the CPU."""

    def __init__(self, card: ModelCard, network: nn.Module, *, cuda: bool) -> None:
        self._device = torch.device("cuda" if cuda else "cpu")
        self._network = for_inference(card, network).to(self._device).to(memory_format=torch.channels_last)
        self._cuda = cuda

    def __call__(self, images: RGBImage) -> npt.NDArray[np.float32]:
        """Run one batch."""
        batch = torch.from_numpy(images)
        if self._cuda:
            batch = batch.pin_memory().to(self._device, non_blocking=True)
        with torch.inference_mode(), torch.autocast(self._device.type, torch.float16, enabled=self._cuda):
            answer = self._network(batch)
        return np.ascontiguousarray(answer.float().cpu().numpy())


class OpenVinoRunner:
    """OpenVINO on the CPU, one compiled network per batch size, made when first used."""

    def __init__(self, card: ModelCard, load: Callable[[], nn.Module], *, precise: bool, cache: Path | None) -> None:
        import openvino

        self._core = openvino.Core()
        self._card = card
        self._model = self._cached(cache) or self._converted(load(), cache)
        self._options = {
            "INFERENCE_PRECISION_HINT": "f32" if precise else "bf16",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
        }
        self._requests: dict[int, Any] = {}

    def __call__(self, images: RGBImage) -> npt.NDArray[np.float32]:
        """Run any number of images, in the largest batch sizes that fit."""
        answers = []
        start = 0
        for size in batch_sizes(self._card):
            while len(images) - start >= size:
                request = self._request(size)
                request.infer([np.ascontiguousarray(images[start : start + size])])
                answers.append(np.array(request.get_output_tensor(0).data, dtype=np.float32))  # a copy: it is reused
                start += size
        return np.concatenate(answers)

    def _request(self, size: int) -> Any:
        if size not in self._requests:
            model = self._model.clone()
            model.reshape([size, self._card.input_px, self._card.input_px, 3])
            self._requests[size] = self._core.compile_model(model, "CPU", self._options).create_infer_request()
        return self._requests[size]

    def _cached(self, cache: Path | None) -> Any:
        if cache is None or not cache.with_suffix(".xml").is_file() or not cache.with_suffix(".bin").is_file():
            return None
        try:
            return self._core.read_model(cache.with_suffix(".xml"))
        except RuntimeError as error:
            logger.warning("The cached copy of %s is unreadable and will be made again (%s).", self._card.name, error)
            return None

    def _converted(self, network: nn.Module, cache: Path | None) -> Any:
        import openvino

        side = self._card.input_px
        example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
        model = openvino.convert_model(
            for_inference(self._card, network),
            example_input=example,
            input=[openvino.PartialShape([-1, side, side, 3])],
        )
        if cache is not None:
            _save(model, cache)
        return model


def _save(model: Any, cache: Path) -> None:
    """Write the converted network; both files appear whole or not at all, and a full disk only costs the next start."""
    import openvino

    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
            partial = Path(folder) / cache.name
            openvino.save_model(model, partial.with_suffix(".xml"), compress_to_fp16=False)
            for suffix in (".bin", ".xml"):  # the reader looks for both: the one that names the other comes last
                os.replace(partial.with_suffix(suffix), cache.with_suffix(suffix))  # noqa: PTH105
    except (OSError, RuntimeError) as error:
        logger.warning("The converted network could not be kept for the next start (%s).", error)
