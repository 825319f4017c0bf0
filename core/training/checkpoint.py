"""The state of a training on disk: written whole or not at all, read without running code."""

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from core.errors import TrainingError
from core.training.run_folder import disk_error


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint beside the old one, then put it in its place: a kill in between leaves the old one.

    Raises:
        StorageError: the disk refused it; the old checkpoint is kept.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch's writer says RuntimeError where the disk is full
        partial.unlink(missing_ok=True)
        raise disk_error(error if isinstance(error, OSError) else OSError(0, str(error).splitlines()[0])) from error


def load_checkpoint(path: Path, *, recipe: str) -> dict[str, Any] | None:
    """Return the state to go on from; None where there is none.

    Raises:
        TrainingError: it is damaged, or of another recipe.
    """
    if not path.is_file():
        return None
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, OSError) as error:
        raise TrainingError(
            f"The checkpoint {path.name} cannot be read ({str(error).splitlines()[0]}). "
            "Delete it to start this run from the beginning."
        ) from error
    found = str(state.get("recipe", "")) if isinstance(state, dict) else ""
    if found != recipe:
        raise TrainingError(
            f"The checkpoint is of the recipe {found or 'unknown'}, this run is of {recipe}. "
            "Start a new run, or put the right checkpoint into the folder."
        )
    return dict(state)
