"""Weights that depend on key and shape alone, so that stored answers need no stored weights."""

import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.models.registry import CARDS
from core.models.weights import LoadedModel, save_safetensors

FIXTURES = Path(__file__).resolve().parent / "fixtures"


def filled(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fill a state dict; fixed buffers are left as they are."""
    values = {key: _value(key, tensor) for key, tensor in state.items()}
    for key in [key for key in values if key.endswith("weight_orig")]:
        stem = key.removesuffix("weight_orig")
        values[f"{stem}weight_u"], values[f"{stem}weight_v"] = _singular_vectors(values[key], values[f"{stem}weight_u"])
    return values


def _value(key: str, tensor: Tensor) -> Tensor:
    shape, name = tuple(tensor.shape), key.split(".")[-1]
    if name in ("filt", "num_batches_tracked"):
        return tensor.clone()
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if name == "running_var" or (name == "weight" and len(shape) == 1):
        array = rng.uniform(0.5, 1.5, shape)
    elif name in ("weight_u", "weight_v"):
        array = rng.standard_normal(shape)
        array /= np.linalg.norm(array)
    elif len(shape) > 1:
        array = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    else:
        array = rng.standard_normal(shape) * 0.1
    return torch.from_numpy(np.asarray(array, dtype=np.float32))


def _singular_vectors(weight: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Return u and v of the largest singular value, after 20 power iterations."""
    matrix, u = weight.flatten(1).double(), start.double()
    for _ in range(20):
        v = F.normalize(matrix.T @ u, dim=0)
        u = F.normalize(matrix @ v, dim=0)
    return u.float(), v.float()


@cache
def filled_model(name: str) -> LoadedModel:
    """A model of the registry with filled weights, shared by all tests: leave it as it is."""
    card = CARDS[name]
    module = card.build()
    module.load_state_dict(filled(module.state_dict()))
    return LoadedModel(card=card, module=module.eval().requires_grad_(False), sha256="filled")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """uint8 noise in [0, 255]."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_weights(folder: Path, *names: str) -> Path:
    """Write filled weights and their manifest, as a weights folder holds them."""
    tables = []
    for name in names:
        sha256 = save_safetensors(filled_model(name).module.state_dict(), folder / f"{name}.safetensors", half=False)
        tables.append(f'[models.{name}]\nfile = "{name}.safetensors"\nsha256 = "{sha256}"\n')
    (folder / "manifest.toml").write_text("\n".join(tables), encoding="utf-8")
    return folder
