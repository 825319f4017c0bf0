"""What leaves a run: weights in the published form, the whole run as an archive."""

import io
import zipfile
from pathlib import Path
from typing import IO

import torch

from core.errors import NotFoundError
from core.models.weights import read_state_dict
from core.training.notebook import notebook
from core.training.run_folder import RunFolder

LEFT_OUT = ("checkpoint.pt", "lock", "STOP", "job.json", "process.json", "data.json")
"""Not for others: what only this machine needs, and who trained where."""

OF_A_STUDY = ("filter.pt", "generator.pt", "drawn.npz", "accepted.npz")
"""What a study needs until it is done."""

STORED = (".safetensors", ".png", ".npz")
"""Packed already."""


def published_pth(run: RunFolder) -> bytes:
    """Return the best weights as a `.pth` file: a plain state dict in float32, under the published names.

    Raises:
        NotFoundError: the run has no weights yet.
    """
    file = io.BytesIO()
    torch.save(dict(read_state_dict(_weights(run))), file)
    return file.getvalue()


def safetensors(run: RunFolder) -> bytes:
    """Return the best weights as they are stored, matrices in float16.

    Raises:
        NotFoundError: the run has no weights yet.
    """
    return _weights(run).read_bytes()


def write_zip(run: RunFolder, name: str, target: Path | IO[bytes]) -> None:
    """Write everything a run left, but its checkpoint, and the notebook that repeats it.

    Args:
        name: of the run, for the notebook's title.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.ipynb", notebook(run, name))
        for path in sorted(run.path.rglob("*")):
            inside = path.relative_to(run.path)
            if path.is_symlink() or not path.is_file() or _stays(inside):
                continue
            packed = zipfile.ZIP_STORED if path.suffix in STORED else zipfile.ZIP_DEFLATED
            archive.write(path, inside.as_posix(), compress_type=packed)


def _stays(inside: Path) -> bool:
    return inside.name in (*LEFT_OUT, *OF_A_STUDY) or inside.suffix == ".partial" or inside.name.startswith(".")


def _weights(run: RunFolder) -> Path:
    if not run.weights.is_file():
        raise NotFoundError("This run has no weights yet: not one epoch was done. Resume it, or wait for the first.")
    return run.weights
