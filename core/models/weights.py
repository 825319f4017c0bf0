"""Reading, checking and writing weights: safetensors, or a `.pth` that holds nothing but tensors."""

import hashlib
import io
import os
import pickle
import struct
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from core.errors import WeightsError
from core.models.card import ModelCard

MAX_BYTES = 2 * 1024**3
"""No network here comes near it: what is larger was picked by mistake."""

_WRAPPERS = ("model_state", "model_state_dict", "state_dict")
_SHOWN_KEYS = 3
_DAMAGED = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    MemoryError,
)


@dataclass(frozen=True)
class Captured:
    """What one layer returned, and how the logit of one class changes with it.

    Attributes:
        activations, gradients: (N, channels, h, w) float32.
    """

    activations: npt.NDArray[np.float32]
    gradients: npt.NDArray[np.float32]


GradientSource = Callable[[npt.NDArray[np.uint8], int], dict[str, Captured]]
"""(N, px, px, 3) uint8 tiles and a class index to layer -> `Captured`."""


@dataclass(frozen=True)
class LoadedModel:
    """A network ready to use: card, weights, and the lock that lets one caller at it.

    Attributes:
        module: in evaluation mode, float32, parameters frozen.
        sha256: of the weights file.
        extras: what the manifest adds: temperature, conformal thresholds, figures.
        lock: hold it around everything that registers hooks or runs `module` or `gradients`.
        gradients: a faster way to what torch's autograd computes; None where the backend has none.
    """

    card: ModelCard
    module: nn.Module
    sha256: str
    extras: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    gradients: GradientSource | None = None


def read_state_dict(path: Path | Sequence[Path]) -> dict[str, Tensor]:
    """Read a state dict, all floating point tensors as float32.

    Takes `.safetensors`, or `.pth` and `.pt` that hold a state dict, plainly or under `model_state`; a leading
    `module.` is dropped. Several files are read together as the shards of one.

    Raises:
        WeightsError: a file is missing, damaged, would run code, or holds something else than tensors.
    """
    return _read(path)[0]


def check_weights(card: ModelCard, path: Path | Sequence[Path], *, sha256: str | None = None) -> str:
    """Return the SHA-256 of a weights file that fits the network.

    Args:
        sha256: hash the manifest vouches for: a file that has it is not read any further.

    Raises:
        WeightsError: it cannot be read, or was made for another network; the first keys that differ are named.
    """
    if sha256 is not None:
        digest = hashlib.sha256()
        for part in _parts(path):
            digest.update(_read_bytes(part))
        _check_hash(path, digest.hexdigest(), sha256)
        return sha256
    state, found = _read(path)
    _check_fit(card, state, _label(path))
    return found


def load_weights(
    card: ModelCard,
    path: Path | Sequence[Path],
    *,
    sha256: str | None = None,
    extras: Mapping[str, Any] | None = None,
) -> LoadedModel:
    """Build the network and load its weights strictly.

    Args:
        sha256: hash the file must have; None accepts any.
        extras: kept with the model.

    Raises:
        WeightsError: as `check_weights`, or the hash is another one.
    """
    state, found = _read(path)
    if sha256 is not None:
        _check_hash(path, found, sha256)
    _check_fit(card, state, _label(path))
    module = card.build()
    module.load_state_dict(state, strict=True)
    module.eval().requires_grad_(False)
    return LoadedModel(card=card, module=module, sha256=found, extras=dict(extras or {}))


def save_safetensors(state: Mapping[str, Tensor], path: Path, *, half: bool = True) -> str:
    """Write a state dict and return the SHA-256 of the file.

    Args:
        half: store matrices as float16; vectors (norms, biases) keep float32, where it costs nothing and the
            smallest variances would be lost.
    """
    tensors = {key: _stored(value, half=half) for key, value in state.items()}
    data = safetensors.torch.save(tensors, metadata={"format": "pt"})
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(partial).chmod(0o644)
    Path(partial).replace(path)
    return hashlib.sha256(data).hexdigest()


def _stored(value: Tensor, *, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous()
    if not half or value.dtype != torch.float32 or value.dim() < 2:
        return value
    array = value.numpy()
    limit = float(np.finfo(np.float16).max)
    return torch.from_numpy(array.astype(np.float16)) if float(np.abs(array).max(initial=0)) <= limit else value


def _parts(path: Path | Sequence[Path]) -> Sequence[Path]:
    return [path] if isinstance(path, Path) else path


def _label(path: Path | Sequence[Path]) -> str:
    return " + ".join(part.name for part in _parts(path))


def _check_hash(path: Path | Sequence[Path], found: str, expected: str) -> None:
    if found != expected:
        raise WeightsError(
            f"{_label(path)} is not the file the manifest lists, or the .json file beside it: SHA-256 {found[:12]} "
            f"instead of {expected[:12]}. Copy the file again, or correct the hash if it was replaced on purpose."
        )


def _read(path: Path | Sequence[Path]) -> tuple[dict[str, Tensor], str]:
    state: dict[str, Tensor] = {}
    digest = hashlib.sha256()
    for part in _parts(path):
        data = _read_bytes(part)
        digest.update(data)
        state.update(_parse(data, part))
    return state, digest.hexdigest()


def _read_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise WeightsError(f"{path.name} has {size / 1e9:.1f} GB; weights of these models stay far below 2 GB.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise WeightsError(f"There is no weights file {path.name}. Check the path or upload the file.") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise WeightsError(f"The weights file {path.name} cannot be opened ({error}).") from error


def _parse(data: bytes, path: Path) -> dict[str, Tensor]:
    if not data:
        raise WeightsError(f"{path.name} is empty. Copy or upload the weights file again.")
    if path.suffix.lower() == ".safetensors":
        try:
            loaded: object = safetensors.torch.load(data)
        except (SafetensorError, *_DAMAGED) as error:
            raise WeightsError(f"{path.name} is damaged or not a safetensors file ({error}). Copy it again.") from error
    else:
        loaded = _parse_pickle(data, path)
    return _normalised(loaded, path)


def _parse_pickle(data: bytes, path: Path) -> object:
    try:
        # weights_only builds tensors and plain containers alone; anything that would run code is refused unexecuted.
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported" in str(error) or "GLOBAL" in str(error):
            raise WeightsError(
                f"{path.name} is refused: beside tensors it holds Python objects that would run code when read. "
                "Nothing was run. Save model.state_dict() alone, or a safetensors file."
            ) from error
        raise WeightsError(f"{path.name} is damaged or not a PyTorch weights file. Copy or upload it again.") from error
    except _DAMAGED as error:
        raise WeightsError(f"{path.name} is damaged or not a PyTorch weights file. Copy or upload it again.") from error


def _normalised(loaded: object, path: Path) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping):
        loaded = next((loaded[key] for key in _WRAPPERS if isinstance(loaded.get(key), Mapping)), loaded)
    if not isinstance(loaded, Mapping) or not loaded:
        raise WeightsError(f"{path.name} holds no state dict, but a {type(loaded).__name__}. Save model.state_dict().")
    state: dict[str, Tensor] = {}
    for key, value in loaded.items():
        if not isinstance(key, str) or not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta:
            raise WeightsError(f"{path.name} holds no plain state dict: {str(key)[:60]!r} is not a tensor.")
        state[key.removeprefix("module.")] = _as_float32(value) if value.is_floating_point() else value
    broken = next((key for key, value in state.items() if not np.isfinite(value.numpy()).all()), None)
    if broken:
        raise WeightsError(f"{path.name} holds values that are not finite in {broken!r}: its training diverged.")
    return state


def _as_float32(value: Tensor) -> Tensor:
    if value.dtype != torch.float16:
        return value.float()
    # NumPy, because torch's thread pool takes seconds for a thousand small tensors while another process keeps a core.
    return torch.from_numpy(np.asarray(value.numpy().astype(np.float32)))


def _check_fit(card: ModelCard, state: Mapping[str, Tensor], name: str) -> None:
    with torch.device("meta"):
        expected = {key: tuple(value.shape) for key, value in card.build().state_dict().items()}
    missing = [key for key in expected if key not in state]
    unexpected = sorted(key for key in state if key not in expected)
    reshaped = [key for key in expected if key in state and tuple(state[key].shape) != expected[key]]
    if not (missing or unexpected or reshaped):
        return
    found = [f"missing {_some(missing)}"] if missing else []
    found += [f"unexpected {_some(unexpected)}"] if unexpected else []
    if reshaped:
        key = reshaped[0]
        found.append(f"{key} has shape {tuple(state[key].shape)} instead of {expected[key]}")
    raise WeightsError(
        f"{name} was not made for {card.title}: {'; '.join(found)}. "
        f"Expected {len(expected)} tensors of {card.build().__class__.__name__}, found {len(state)}."
    )


def _some(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:_SHOWN_KEYS])
    return shown if len(keys) <= _SHOWN_KEYS else f"{shown} and {len(keys) - _SHOWN_KEYS} more"
