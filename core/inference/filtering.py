"""What a classifier says about images that are to be filtered: one opinion an image, tile or field."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.config import get_settings
from core.inference.classification import classify_tiles
from core.inference.engine import Engine
from core.inference.scoring import CLASSIFIER, real_field, score_field
from core.inference.tile_features import NETWORK, tile_features
from core.inference.training_index import training_index
from core.labels import CLASSES, Marker
from core.models.registry import get_card
from core.models.sidecar import read_sidecar
from core.models.weights import check_weights
from core.quality.filter_measures import Measures, Near, Probs, measure_images
from core.quality.measures import tissue_mask
from core.quality.neighbours import nearest
from core.stains.separation import white_point
from core.types import Progress, RGBImage, no_progress

STEP = "reading the classes"


def classify_images(
    engine: Engine,
    name: str,
    images: RGBImage | Sequence[RGBImage],
    *,
    mpp: float | None = None,
    progress: Progress = no_progress,
) -> Probs:
    """Return the class probabilities of every image.

    An image of the network's input size is one tile, read as it is. Any other is read as Analyze reads a field: its
    tissue tiles at the physical size of the model's card, and the marker's rule over them.

    Args:
        images: (N, H, W, 3) uint8 RGB, or N images of any size.
        mpp: micrometres per pixel of the fields; unknown counts as 40x.
    Returns:
        (N, C) float64 in the order of the card's labels; a row of NaN where there is no tissue to read.
    Raises:
        ModelUnavailableError: the weights are missing or unusable.
        CancelledError: raised by `progress`.
    """
    card = get_card(name)
    probs = np.full((len(images), len(card.labels)), np.nan)
    tiles = [index for index, image in enumerate(images) if image.shape == (card.input_px, card.input_px, 3)]
    _read_tiles(engine, name, images, tiles, probs, progress)
    done, known = len(tiles), set(tiles)
    for index, image in enumerate(images):
        if index in known:
            continue
        progress(STEP, done, len(images))
        white = white_point(image)
        field = real_field(image, mpp, white, tissue_mask(image, white))
        size = (image.shape[1], image.shape[0])
        found = score_field(engine, field, card, size, measured=None).aggregate.probabilities
        if found:
            probs[index] = found
        done += 1
    progress(STEP, len(images), len(images))
    return probs


def _read_tiles(
    engine: Engine,
    name: str,
    images: RGBImage | Sequence[RGBImage],
    rows: Sequence[int],
    probs: npt.NDArray[np.float64],
    progress: Progress,
) -> None:
    chunk = 64  # stacked a few at a time, so that ten thousand images are not held twice
    for start in range(0, len(rows), chunk):
        some = list(rows[start : start + chunk])
        progress(STEP, start, len(images))
        probs[some] = classify_tiles(engine, name, np.stack([images[row] for row in some])).probs


def measure_synthetic(
    engine: Engine,
    images: RGBImage | Sequence[RGBImage],
    labels: Sequence[str],
    marker: Marker,
    *,
    second: Engine | None = None,
    generator: str = "",
    mpp: float | None = None,
    progress: Progress = no_progress,
) -> tuple[Measures, ...]:
    """Measure all that synthetic or virtual images of one marker are judged by.

    Args:
        labels: class each was made as; "" where unknown.
        second: an engine with other weights of the classifier (`with_weights`); None asks no second model.
        generator: whose training tiles the images are held against, where it brings an index and all of them are tiles.
    Raises:
        ModelUnavailableError, CancelledError: as `classify_images`.
    """
    name = CLASSIFIER[marker]
    return measure_images(
        images,
        labels=labels,
        probs=classify_images(engine, name, images, mpp=mpp, progress=progress),
        second=None if second is None else classify_images(second, name, images, mpp=mpp, progress=progress),
        classes=CLASSES[marker],
        nearest=_nearest(engine, images, generator) if generator else None,
        progress=progress,
    )


def _nearest(engine: Engine, images: RGBImage | Sequence[RGBImage], generator: str) -> Sequence[Near] | None:
    """The real image nearest to each; None where that is not known."""
    side = get_card(NETWORK).input_px
    if not len(images) or any(image.shape != (side, side, 3) for image in images):
        return None
    index = training_index(engine, generator)
    return None if index is None else nearest(index, tile_features(engine, np.stack(list(images))))


def with_weights(name: str, path: Path) -> Engine:
    """Return an engine that reads with other weights of a model: a second opinion beside the active ones.

    Raises:
        WeightsError: the file is missing, damaged or made for another network, or for other classes.
    """
    card = get_card(name)
    check_weights(card, path)
    read_sidecar(path, card)
    settings = get_settings()
    return Engine(settings.weights_dir, overrides={name: path}, device=settings.device, backend=settings.backend)
