"""What this computer can run the networks on."""

import os
from enum import StrEnum

from core.errors import InvalidOptionError


class Backend(StrEnum):
    """Which library runs the networks, on what, and how precisely."""

    OPENVINO_BF16 = "openvino-bf16"
    OPENVINO_F32 = "openvino-f32"
    TORCH_CPU = "torch-cpu"
    TORCH_CUDA = "torch-cuda"


def choose_backend(device: str = "auto", backend: str = "auto") -> Backend:
    """Return the fastest backend that works here, within what is asked for.

    Args:
        device: "auto", "cpu" or "cuda".
        backend: "auto", "openvino", "torch", or one of `Backend`.

    Raises:
        InvalidOptionError: a word is unknown, or CUDA is asked for and absent.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise InvalidOptionError(f"DEVICE is {device!r}; it may be auto, cpu or cuda.")
    if backend in tuple(Backend):
        return Backend(backend)
    if backend not in ("auto", "openvino", "torch"):
        raise InvalidOptionError(f"BACKEND is {backend!r}; it may be auto, openvino or torch.")
    if device == "cuda" and not has_cuda():
        raise InvalidOptionError("DEVICE is cuda, but torch finds no CUDA device. Set DEVICE=cpu, or install it.")
    if backend != "openvino" and (device == "cuda" or (device == "auto" and has_cuda())):
        return Backend.TORCH_CUDA
    if backend == "torch" or not has_openvino():
        return Backend.TORCH_CPU
    return Backend.OPENVINO_BF16 if has_bf16() else Backend.OPENVINO_F32


def has_cuda() -> bool:
    """Whether torch finds a CUDA device."""
    import torch

    return torch.cuda.is_available()


def has_openvino() -> bool:
    """Whether OpenVINO is installed."""
    try:
        import openvino  # noqa: F401
    except ImportError:
        return False
    return True


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself (AVX-512 BF16 or AMX)."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def describe(backend: Backend) -> str:
    """Return the device in words: "NVIDIA H200" or "CPU, 2 cores"."""
    if backend is Backend.TORCH_CUDA:
        import torch

        return str(torch.cuda.get_device_name())
    return f"CPU, {cores()} cores"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
