"""The published HER2-Classifier server's pipeline, for its phone application: one tile answers for the image.

This is not how the workbench scores (`core.analysis` counts all tissue tiles); it answers what the published server
answers, with the same tiles, rank and fields. Source: https://github.com/Lina-Askar/HER2-Classifier (facts, not code).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from core.compat_pictures import (
    PICTURE_PX,
    TILE_PICTURE_PX,
    orig_resized,
    probs_chart,
    region_overlay,
    region_pseudo,
    tile_overlay,
)
from core.explain.cam import explain
from core.images import resize_to_fit
from core.inference.classification import CHUNK, softmax
from core.inference.engine import Engine
from core.labels import CAM_LAYERS, PRIMARY_CAM_LAYER, CamMethod, Her2Score
from core.models.registry import get_card
from core.slides.tiling import Box
from core.types import Progress, RGBImage, no_progress

CLASSIFIER = "ihcnet"
GENERATOR = "pspstain"

ONE_TILE_PX = 1400
"""An image up to this long is one tile."""

TILE_PX = 400
STRIDE_PX = 300
MIN_SIDE_PX = 120
MIN_TISSUE_PX = 200
BLANK_GRAY = 240
BLACK_GRAY = 15
TILE_BLANK_GRAY = 250
MARGIN_PX = 5

# Rank of a tile: 0.55 p + 0.25 dab/50000 + 0.15 texture/40 + 0.05 area/200000
RANK_WEIGHTS = (0.55, 0.25, 0.15, 0.05)
RANK_SCALES = (1.0, 50_000.0, 40.0, 200_000.0)


@dataclass(frozen=True)
class CompatAnswer:
    """What the published server answers, its pictures still as arrays (H, W, 3) uint8 RGB.

    Attributes:
        confidence: 0-100.
        probs: class -> probability in [0, 1].
        gradcam_layers: layer -> the tile that answers with its heat map.
        box: of that tile in pixels of the scored image.
        generated: the virtual IHC that was scored; None where the upload itself was.
    """

    pred_label: str
    confidence: float
    probs: dict[str, float]
    probs_chart: RGBImage
    orig: RGBImage
    orig_resized: RGBImage
    gradcam_layers: dict[str, RGBImage]
    primary_gradcam: RGBImage
    pseudo: RGBImage
    box: Box
    generated: RGBImage | None = None


def predict(engine: Engine, image: RGBImage, progress: Progress = no_progress) -> CompatAnswer:
    """Score an IHC image as the published server does.

    Args:
        image: (H, W, 3) uint8 RGB.
    Raises:
        ModelUnavailableError: the weights are missing or unusable.
        CancelledError: raised by `progress`.
    """
    return _answer(engine, image, upload=image, progress=progress)


def predict_virtual(engine: Engine, image: RGBImage, progress: Progress = no_progress) -> CompatAnswer:
    """Stain an H&E image virtually, as one tile of 256 x 256 pixels, and score that; as `predict` otherwise."""
    progress("staining virtually", 0, 1)
    px = get_card(GENERATOR).input_px
    generated = engine.stain(_resize(image, px)[None])[0]
    # An upload smaller than the generator's tile gets its virtual stain at its own size.
    generated = resize_to_fit(generated, min(px, *image.shape[:2]))
    return _answer(engine, generated, upload=image, progress=progress, virtual=True)


def choose_tiles(image: RGBImage) -> list[Box]:
    """Cut an image into the tiles that are scored, left to right, top to bottom.

    Args:
        image: (H, W, 3) uint8 RGB.
    Returns:
        The whole image up to `ONE_TILE_PX`; else tiles of at most `TILE_PX`, `STRIDE_PX` apart, in its non-blank box.
    """
    height, width = image.shape[:2]
    whole = Box(0, 0, width, height)
    if max(height, width) <= ONE_TILE_PX:
        return [whole]
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    left, top, right, bottom = _non_blank_box(gray)
    boxes = [
        Box(x, y, min(TILE_PX, right - x), min(TILE_PX, bottom - y))
        for y in range(top, bottom, STRIDE_PX)
        for x in range(left, right, STRIDE_PX)
    ]
    kept = [box for box in boxes if min(box.width, box.height) >= MIN_SIDE_PX and _has_tissue(gray, box)]
    return kept or [whole]


def rank(confidence: float, tile: RGBImage) -> float:
    """Return how much a tile deserves to answer for the image.

    Args:
        confidence: probability of the tile's own class, in [0, 1].
        tile: (H, W, 3) uint8 RGB.
    """
    hue, saturation, value = cv2.split(cv2.cvtColor(tile, cv2.COLOR_RGB2HSV))
    gray = cv2.cvtColor(tile, cv2.COLOR_RGB2GRAY)
    brown = (hue > 5) & (hue < 32) & (saturation > 40) & (value > 40)
    texture = float(np.abs(cv2.Laplacian(gray, cv2.CV_64F)).mean())
    parts = (confidence, float(brown.sum()), texture, float((gray < BLANK_GRAY).sum()))
    return sum(weight * part / scale for weight, part, scale in zip(RANK_WEIGHTS, parts, RANK_SCALES, strict=True))


def _answer(
    engine: Engine, scored: RGBImage, *, upload: RGBImage, progress: Progress, virtual: bool = False
) -> CompatAnswer:
    boxes = choose_tiles(scored)
    probs = _probabilities(engine, scored, boxes, progress)
    ranks = [rank(float(row.max()), _cut(scored, box)) for row, box in zip(probs, boxes, strict=True)]
    best = int(np.argmax(ranks))
    box, tile, row = boxes[best], _cut(scored, boxes[best]), probs[best]
    target = int(row.argmax())
    progress("explaining", 0, 1)
    px = get_card(CLASSIFIER).input_px
    heatmaps = explain(
        engine.model(CLASSIFIER),
        _resize(tile, px)[None],
        target=target,
        layers=CAM_LAYERS,
        method=CamMethod.GRAD_CAM,
    )
    shown = resize_to_fit(tile, TILE_PICTURE_PX)
    labels = [score.value for score in Her2Score]
    named = {label: float(prob) for label, prob in zip(labels, row, strict=True)}
    size = (upload.shape[1], upload.shape[0])
    return CompatAnswer(
        pred_label=labels[target],
        confidence=100 * float(row[target]),
        probs=named,
        probs_chart=probs_chart(named, size),
        orig=resize_to_fit(upload, PICTURE_PX),
        orig_resized=orig_resized(upload),
        gradcam_layers={layer: tile_overlay(shown, maps[0]) for layer, maps in heatmaps.items()},
        primary_gradcam=region_overlay(scored, box, heatmaps[PRIMARY_CAM_LAYER][0]),
        pseudo=region_pseudo(scored, box),
        box=box,
        generated=scored if virtual else None,
    )


def _probabilities(
    engine: Engine, image: RGBImage, boxes: Sequence[Box], progress: Progress
) -> npt.NDArray[np.float32]:
    """Class probabilities (N, 4) of tiles; uncalibrated, as the published server gives them."""
    px = get_card(CLASSIFIER).input_px
    rows = []
    for start in range(0, len(boxes), CHUNK):
        progress("scoring tiles", start, len(boxes))
        tiles = np.stack([_resize(_cut(image, box), px) for box in boxes[start : start + CHUNK]])
        rows.append(softmax(engine.classify(CLASSIFIER, tiles)))
    return np.concatenate(rows)


def _non_blank_box(gray: npt.NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of what is neither white nor black; everything if that is little."""
    height, width = gray.shape
    mask = (gray < BLANK_GRAY) & (gray > BLACK_GRAY)
    if mask.sum() < MIN_TISSUE_PX:
        return 0, 0, width, height
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        max(0, int(columns[0]) - MARGIN_PX),
        max(0, int(rows[0]) - MARGIN_PX),
        min(width, int(columns[-1]) + MARGIN_PX),
        min(height, int(rows[-1]) + MARGIN_PX),
    )


def _has_tissue(gray: npt.NDArray[np.uint8], box: Box) -> bool:
    field = gray[box.y : box.y + box.height, box.x : box.x + box.width]
    return int((field < TILE_BLANK_GRAY).sum()) >= MIN_TISSUE_PX


def _cut(image: RGBImage, box: Box) -> RGBImage:
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def _resize(image: RGBImage, px: int) -> RGBImage:
    """Resample to (px, px) with the antialiased bilinear filter that the published networks were used with."""
    return np.array(Image.fromarray(image).resize((px, px), Image.Resampling.BILINEAR))  # a copy: writable
