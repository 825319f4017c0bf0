"""Arrays that belong to some weights, on the disk: a compressed .npz beside them."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import StorageError


def save_arrays(values: Mapping[str, npt.NDArray[np.generic]], path: Path) -> None:
    """Write arrays by name, whole or not at all.

    Raises:
        StorageError: the disk refused it.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, **values)  # type: ignore[arg-type]
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError(f"{path.name} cannot be written ({error.strerror}). Free some disk space.") from error
