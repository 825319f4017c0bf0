"""The worst errors of a classifier as pictures, with what it looked at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from torch import nn

from core.explain.cam import explain
from core.explain.gradients import LAYERS
from core.explain.overlay import blend
from core.labels import CamMethod
from core.models.card import ModelCard
from core.models.ihcnet import IHCNet
from core.models.simple_cnn import SimpleCNN
from core.models.weights import LoadedModel
from core.training.judging.evaluation import worst_errors
from core.training.judging.held_out import HeldOut
from core.training.run_folder import disk_error
from core.types import RGBImage

LIMIT = 12
LAYER = {"ihcnet": "denseblock3", "simple_cnn": "conv2"}
"""Layer of each network whose heat map is shown."""


def write_errors(
    folder: Path,
    held: HeldOut,
    tiles: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64],
    *,
    temperature: float,
    files: Sequence[str],
    network: nn.Module,
    card: ModelCard,
) -> list[dict[str, Any]]:
    """Write the most confident mistakes, at most `LIMIT`, and describe them; earlier ones are removed.

    Args:
        tiles: (M, px, px, 3) uint8 RGB, all tiles of the data set.
        rows: (N,) where the held-out tiles are among them.
        files: N names of the images that the tiles are from.
        network: in evaluation mode.
        card: with the network's own classes.
    Raises:
        StorageError: the disk refused a picture.
    """
    chosen = worst_errors(held, temperature, limit=LIMIT)
    pictures = np.asarray(tiles[rows[chosen]])
    predicted = held.predicted[chosen]
    overlays = _overlays(network, card, pictures, predicted)
    confidence = held.probs(temperature).max(axis=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("error-*.png"):
            old.unlink()
        return [
            {
                "picture": _write(folder / f"error-{place:02}.png", pictures[place - 1]),
                "heatmap": _write(folder / f"error-{place:02}-cam.png", overlays[place - 1]) if overlays else None,
                "truth": held.classes[held.labels[index]],
                "predicted": held.classes[held.predicted[index]],
                "confidence": float(confidence[index]),
                "file": files[index],
                "case": str(held.cases[index]),
            }
            for place, index in enumerate(chosen, 1)
        ]
    except OSError as error:
        raise disk_error(error) from error


def _overlays(
    network: nn.Module, card: ModelCard, pictures: RGBImage, predicted: npt.NDArray[np.int64]
) -> list[RGBImage]:
    """What spoke for the wrong class, laid over each tile; none for networks without layers to explain."""
    if not isinstance(network, SimpleCNN | IHCNet) or card.name not in LAYERS:
        return []
    loaded, layer = LoadedModel(card, network, ""), LAYER[card.name]
    found = []
    for picture, label in zip(pictures, predicted, strict=True):
        maps = explain(loaded, picture[None], target=int(label), layers=[layer], method=CamMethod.GRAD_CAM)
        found.append(blend(picture, maps[layer][0]))
    return found


def _write(path: Path, picture: RGBImage) -> str:
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    path.write_bytes(data.tobytes())
    return f"{path.parent.name}/{path.name}"
