"""One network in OpenVINO: converted once, kept on disk, compiled for a few fixed batch sizes."""

import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

_SUFFIXES = (".bin", ".xml")
"""The reader looks for both; the .xml names the .bin, so it is put in place last."""


class OpenVinoGraph:
    """A function of arrays whose first axis is the batch. One caller at a time."""

    def __init__(
        self,
        build: Callable[[], nn.Module],
        examples: Sequence[Tensor],
        shapes: Sequence[tuple[int, ...]],
        *,
        batch_sizes: Sequence[int],
        precise: bool,
        cache: Path | None,
        streams: int = 1,
    ) -> None:
        """Read the converted network from disk, or convert it.

        Args:
            build: returns the network as it is to be run; called only where no converted copy is kept.
            examples: inputs to trace it with; small ones are as good as large ones.
            shapes: of the inputs at run time, without the batch.
            batch_sizes: to compile, largest first, the last one 1. Fixed, because with a free batch size OpenVINO's
                memory grows with every size it meets (3.3 GB after 1, 4, 16 and 32). Each is compiled when first used.
            precise: float32 instead of bfloat16.
            cache: path without suffix where the converted network is kept; None keeps none.
            streams: examples that run side by side, each on its share of the cores, where that many are given: a core
                that works on its own example waits for nobody. A last one alone gets all cores.
        """
        self._core = openvino.Core()
        self._shapes = tuple(shapes)
        self._batch_sizes = tuple(batch_sizes)
        self._options = {
            "INFERENCE_PRECISION_HINT": "f32" if precise else "bf16",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
        }
        self._requests: dict[int, Any] = {}
        self._streams = streams
        self._side_by_side: list[Any] = []
        self._model = self._cached(cache)
        if self._model is None:
            self._model = _converted(build(), examples)
            if cache is not None and _save(self._model, cache, half=not precise):
                self._model = self._cached(cache) or self._model  # mapped from the file instead of held in memory

    def __call__(self, *inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Run any number of examples, in the largest batch sizes that fit; float32 outputs, or uint8 pixels."""
        count = len(inputs[0])
        parts: list[list[npt.NDArray[Any]]] = []
        start = 0
        if self._streams > 1:
            start = count - count % self._streams
            parts += self._run_side_by_side(inputs, start)
        for size in self._batch_sizes:
            while count - start >= size:
                request = self._request(size)
                request.infer([np.ascontiguousarray(array[start : start + size]) for array in inputs])
                parts.append(_outputs(request))
                start += size
        return parts[0] if len(parts) == 1 else [np.concatenate(output) for output in zip(*parts, strict=True)]

    def _run_side_by_side(self, inputs: Sequence[npt.NDArray[Any]], count: int) -> list[list[npt.NDArray[Any]]]:
        """Run the first `count` examples, one in every stream at a time; the outputs of each."""
        if count and not self._side_by_side:
            compiled = self._compiled(1, {"NUM_STREAMS": str(self._streams), "PERFORMANCE_HINT": "THROUGHPUT"})
            self._side_by_side = [compiled.create_infer_request() for _ in range(self._streams)]
        parts: list[list[npt.NDArray[Any]]] = []
        for start in range(0, count, self._streams):
            for place, request in enumerate(self._side_by_side, start=start):
                request.start_async([np.ascontiguousarray(array[place : place + 1]) for array in inputs])
            for request in self._side_by_side:
                request.wait()
                parts.append(_outputs(request))
        return parts

    def _request(self, size: int) -> Any:
        if size not in self._requests:
            self._requests[size] = self._compiled(size, {}).create_infer_request()
        return self._requests[size]

    def _compiled(self, size: int, options: dict[str, str]) -> Any:
        model = self._model.clone()
        model.reshape({index: [size, *shape] for index, shape in enumerate(self._shapes)})
        return self._core.compile_model(model, "CPU", self._options | options)

    def _cached(self, cache: Path | None) -> Any:
        if cache is None or not all(_file(cache, suffix).is_file() for suffix in _SUFFIXES):
            return None
        try:
            return self._core.read_model(_file(cache, ".xml"))
        except RuntimeError as error:
            logger.warning("The converted network %s is unreadable and will be made again (%s).", cache.name, error)
            return None


def _outputs(request: Any) -> list[npt.NDArray[Any]]:
    """Copies: the next run writes into the same tensors."""
    arrays = [tensor.data for tensor in request.output_tensors]
    return [np.array(array, dtype=np.uint8 if array.dtype == np.uint8 else np.float32) for array in arrays]


def _file(cache: Path, suffix: str) -> Path:
    return cache.parent / (cache.name + suffix)


def _converted(network: nn.Module, examples: Sequence[Tensor]) -> Any:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit.trace is deprecated, but what OpenVINO converts fastest
        # Without the check, which would run the network twice more.
        traced = torch.jit.trace(network, tuple(examples), check_trace=False)  # type: ignore[no-untyped-call]
    shapes = [openvino.PartialShape([-1] * example.dim()) for example in examples]
    return openvino.convert_model(traced, example_input=tuple(examples), input=shapes)


def _save(model: Any, cache: Path, *, half: bool) -> bool:
    """Keep the converted network for the next start, whole or not at all; a full disk only costs that start time."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
            openvino.save_model(model, Path(folder) / "network.xml", compress_to_fp16=half)
            for suffix in _SUFFIXES:
                shutil.move(Path(folder) / f"network{suffix}", _file(cache, suffix))
    except (OSError, RuntimeError) as error:
        logger.warning("The converted network could not be kept for the next start (%s).", error)
        return False
    return True
