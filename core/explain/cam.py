"""Class activation maps: where in a tile a class finds its support.

All layers come from one forward and one backward pass over a whole batch; what a method makes of activations and
gradients is pytorch-grad-cam's. Every heat map is divided by its own maximum, so that 1 is the strongest support in
that tile; what speaks against the class is 0. Sources: Selvaraju et al. 2017 (https://arxiv.org/abs/1610.02391) for
Grad-CAM, Chattopadhay et al. 2018, Draelos and Carin 2020 (HiResCAM), Jiang et al. 2021 (LayerCAM), Muhammad and
Yeasin 2020 (EigenCAM).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM
from torch import nn

from core.errors import InvalidOptionError
from core.explain.gradients import capture
from core.labels import CamMethod
from core.models.weights import Captured, LoadedModel
from core.types import Heatmap, RGBImage

_METHODS: dict[CamMethod, type[Any]] = {
    CamMethod.GRAD_CAM: GradCAM,
    CamMethod.GRAD_CAM_PP: GradCAMPlusPlus,
    CamMethod.HIRES_CAM: HiResCAM,
    CamMethod.LAYER_CAM: LayerCAM,
}


def explain(
    loaded: LoadedModel, tiles: RGBImage, *, target: int, layers: Sequence[str], method: CamMethod
) -> dict[str, npt.NDArray[np.float32]]:
    """Show which regions of tiles raise the score of one class.

    Args:
        tiles: (N, px, px, 3) uint8 RGB at the network's input size.
        target: class index, in the order of the card's labels.
        layers: of IHCNet "conv0" and "denseblock1" to "denseblock4"; of SimpleCNN "conv1" and "conv2".
    Returns:
        layer -> (N, px, px) float32 in [0, 1]; all zeros where nothing supports the class.
    Raises:
        InvalidOptionError: there is no such layer or class.
    """
    if not 0 <= target < len(loaded.card.labels):
        raise InvalidOptionError(f"{loaded.card.title} has {len(loaded.card.labels)} classes; there is no {target}.")
    if len(tiles) == 0:
        return {layer: np.zeros((0, loaded.card.input_px, loaded.card.input_px), np.float32) for layer in layers}
    # Grad-CAM++ divides by a sum of third powers that passes through zero: bfloat16 gradients are too coarse for it.
    exact = method is CamMethod.GRAD_CAM_PP
    captured = capture(loaded, tiles, target=target, layers=tuple(dict.fromkeys(layers)), exact=exact)
    return {layer: _heatmaps(found, method, loaded.card.input_px) for layer, found in captured.items()}


def explain_in_ways(
    loaded: LoadedModel, tile: RGBImage, *, target: int, layer: str, methods: Sequence[CamMethod]
) -> dict[CamMethod, Heatmap]:
    """Show one tile's support by several methods at one layer, from one pass.

    Args:
        tile: (px, px, 3) uint8 RGB at the network's input size.
    Returns:
        method -> (px, px) float32 in [0, 1], as `explain`.
    Raises:
        InvalidOptionError: there is no such layer.
    """
    exact = CamMethod.GRAD_CAM_PP in methods
    found = capture(loaded, tile[None], target=target, layers=(layer,), exact=exact)[layer]
    return {method: _heatmaps(found, method, loaded.card.input_px)[0] for method in methods}


def _heatmaps(found: Captured, method: CamMethod, side: int) -> npt.NDArray[np.float32]:
    if method is CamMethod.EIGEN_CAM:
        maps = np.stack([_first_component(activations) for activations in found.activations])
    else:
        maps = _formula(method).get_cam_image(None, None, None, found.activations, found.gradients, False)
    maps = np.maximum(maps, 0).astype(np.float32)  # (N, h, w)
    resized = np.stack([cv2.resize(one, (side, side), interpolation=cv2.INTER_LINEAR) for one in maps])
    peaks = resized.max(axis=(1, 2), keepdims=True)
    heatmaps: npt.NDArray[np.float32] = np.divide(resized, peaks, out=np.zeros_like(resized), where=peaks > 0)
    return heatmaps


@cache
def _formula(method: CamMethod) -> Any:
    """Return a method of pytorch-grad-cam that holds no network: only its formula is used, on what was captured."""
    return _METHODS[method](nn.Linear(1, 1), [])


def _first_component(activations: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Project (channels, h, w) activations on their first principal component, (h, w).

    As `pytorch_grad_cam.EigenCAM`, whose full singular value decomposition needs 50 s and 1 GB for the 112 x 112
    positions of conv0; the sign, which is arbitrary there, is the one whose peak is positive.
    """
    channels = len(activations)
    rows = activations.reshape(channels, -1).T.astype(np.float64)  # (h * w, channels)
    rows -= rows.mean(axis=0)
    if channels <= len(rows):
        vector = np.linalg.eigh(rows.T @ rows)[1][:, -1]
        projection = rows @ vector
    else:
        values, vectors = np.linalg.eigh(rows @ rows.T)
        projection = vectors[:, -1] * np.sqrt(max(values[-1], 0))
    if abs(projection.min()) > abs(projection.max()):
        projection = -projection
    return np.asarray(projection.reshape(activations.shape[1:]), dtype=np.float32)
