"""Statistics of training tiles on the disk: a small .npz beside the weights they belong to."""

import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import WeightsError
from core.quality.arrays_file import save_arrays
from core.quality.novelty import Novelty, Space

MAX_BYTES = 4_000_000
SPACES = ("features", "looks")
NUMBERS = ("threshold", "quantile", "cases")


def save_novelty(novelty: Novelty, path: Path) -> None:
    """Write the statistics as .npz, whole or not at all.

    Raises:
        StorageError: the disk refused it.
    """
    values = {name: np.asarray(getattr(novelty, name)) for name in (*NUMBERS, "sha256")}
    for space in SPACES:
        part = getattr(novelty, space)
        values |= {f"{space}.{each.name}": np.asarray(getattr(part, each.name)) for each in fields(Space)}
    save_arrays(values, path)


def load_novelty(path: Path) -> Novelty:
    """Read the statistics of some weights' training tiles.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{path.name} has more than {MAX_BYTES} bytes: it holds no statistics of tiles.")
        with np.load(path) as found:
            spaces = {
                name: _space({each.name: found[f"{name}.{each.name}"] for each in fields(Space)}) for name in SPACES
            }
            threshold, quantile, cases = (_number(found[name]) for name in NUMBERS)
            return Novelty(
                **spaces, threshold=threshold, quantile=quantile, cases=int(cases), sha256=str(found["sha256"])
            )
    except FileNotFoundError as error:
        raise WeightsError(f"{path.name} is missing: it belongs beside the weights. Copy it there again.") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} is damaged ({str(error)[:100]}). Copy it again.") from error


def _space(values: dict[str, npt.NDArray[np.generic]]) -> Space:
    width, count = values["centre"].shape[-1:], values["variances"].shape[:1]
    shapes = {"centre": width, "spread": width, "mean": width, "axes": (*count, *width), "variances": count}
    arrays = {name: np.asarray(values[name], np.float32) for name in shapes}
    if any(arrays[name].shape != shape or not np.isfinite(arrays[name]).all() for name, shape in shapes.items()):
        raise ValueError("its tables do not fit together")
    return Space(**arrays, rest=_number(values["rest"]))


def _number(value: npt.NDArray[np.generic]) -> float:
    if value.shape != () or value.dtype.kind not in "fi":
        raise ValueError("a number is missing")
    return float(value)
