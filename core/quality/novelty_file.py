"""Feature statistics on the disk: a small .npz beside the weights they belong to."""

import os
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import StorageError, WeightsError
from core.quality.novelty import Novelty

MAX_BYTES = 4_000_000


def save_novelty(novelty: Novelty, path: Path) -> None:
    """Write the statistics as .npz, whole or not at all.

    Raises:
        StorageError: the disk refused it.
    """
    values = {each.name: np.asarray(getattr(novelty, each.name)) for each in fields(novelty)}
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, **values)  # type: ignore[arg-type]
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError(f"{path.name} cannot be written ({error.strerror}). Free some disk space.") from error


def load_novelty(path: Path) -> Novelty:
    """Read the statistics of some weights' features.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{path.name} has more than {MAX_BYTES} bytes: it holds no feature statistics.")
        with np.load(path) as found:
            values = {each.name: found[each.name] for each in fields(Novelty)}
    except FileNotFoundError as error:
        raise WeightsError(f"{path.name} is missing: it belongs beside the weights. Copy it there again.") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} is damaged ({str(error)[:100]}). Copy it again.") from error
    return _checked(values, path)


def _checked(values: dict[str, npt.NDArray[np.generic]], path: Path) -> Novelty:
    width, count = values["centre"].shape[-1:], values["variances"].shape[:1]
    shapes = {"centre": width, "spread": width, "mean": width, "axes": (*count, *width), "variances": count}
    arrays = {name: np.asarray(values[name], np.float32) for name in shapes if values[name].dtype.kind == "f"}
    usable = len(arrays) == len(shapes) and all(
        arrays[name].shape == shape and np.isfinite(arrays[name]).all() for name, shape in shapes.items()
    )
    numbers = {name: values[name] for name in ("rest", "threshold", "quantile", "cases")}
    if not usable or any(number.shape != () or number.dtype.kind not in "fi" for number in numbers.values()):
        raise WeightsError(f"{path.name} is damaged: its tables do not fit together. Copy it again.")
    return Novelty(
        **arrays,
        rest=float(numbers["rest"]),
        threshold=float(numbers["threshold"]),
        quantile=float(numbers["quantile"]),
        cases=int(numbers["cases"]),
        sha256=str(values["sha256"]),
    )
