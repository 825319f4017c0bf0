"""What is known about one synthetic image, and how such images leave: marked in name and metadata.

Class, seed, truncation and weights make an image again; `core.collections` keeps those that somebody chose.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.collections.changes import file_name, marks
from core.collections.stored import KeptImage
from core.errors import ModelUnavailableError, WeightsError
from core.explain.cam import explain
from core.explain.overlay import blend
from core.images import encode_png
from core.inference.classification import prepare_tiles
from core.inference.engine import Engine
from core.inference.filtering import measure_synthetic
from core.inference.scoring import CLASSIFIER
from core.inference.synthesis import SampleSpec, iter_samples, sample_images
from core.inference.tile_features import tile_features
from core.inference.training_index import require_index
from core.labels import PRIMARY_CAM_LAYER, CamMethod, Marker
from core.models.registry import get_card
from core.png_text import with_text
from core.quality.filter_measures import Measures
from core.quality.neighbours import Nearest, nearest, picture_of
from core.slides.tiling import Box
from core.types import RGBImage

CAM_LAYER = {Marker.PR: "conv2", Marker.HER2: PRIMARY_CAM_LAYER}
"""Whose heat map is shown: the last layer that still has enough positions."""


@dataclass(frozen=True)
class Inspected:
    """One synthetic image, looked at closely.

    Attributes:
        image: (128, 128, 3) uint8 RGB.
        measures: sharpness, brightness, contrast, the classifier's opinion, the distance to real images.
        overlay: the image with the Grad-CAM of the class that the classifier names; None where it names none.
        explained: that class; "" likewise.
        near: the training tile nearest to it; None where nothing is known of the training tiles.
        unknown: why not, in a sentence.
        real: that tile's picture, where its data set is on this machine.
    """

    spec: SampleSpec
    image: RGBImage
    measures: Measures
    overlay: RGBImage | None
    explained: str
    near: Nearest | None
    unknown: str
    real: RGBImage | None


def inspect(engine: Engine, name: str, spec: SampleSpec, *, folders: Sequence[Path] = ()) -> Inspected:
    """Make an image, and look at it: class, heat map, quality, nearest training tile.

    Args:
        name: of the generator.
        folders: of the data sets in which the training tile is looked for.
    Raises:
        ModelUnavailableError: the generator or the classifier has no usable weights.
        InvalidOptionError: a class that the generator does not know.
    """
    marker = marker_of(name)
    image = sample_images(engine, name, [spec])[0]
    measures = measured(engine, name, [spec], image[None])[0]
    explained = measures.opinion.label if measures.opinion is not None else ""
    overlay = _heat(engine, marker, image, explained) if explained else None
    near, unknown, real = _nearest(engine, name, image, folders)
    return Inspected(spec, image, measures, overlay, explained, near, unknown, real)


def measured(engine: Engine, name: str, specs: Sequence[SampleSpec], images: RGBImage) -> tuple[Measures, ...]:
    """Measure images of one generator; raises as `inspect`."""
    card = get_card(name)
    mpp = card.tile_um / card.input_px
    labels = [spec.label for spec in specs]
    return measure_synthetic(engine, images, labels, marker_of(name), generator=name, mpp=mpp)


def scores_of(measures: Measures) -> dict[str, float]:
    """What was measured, as figures by name for a manifest."""
    found = {"sharpness": measures.sharpness, "brightness": measures.brightness, "contrast": measures.contrast}
    if measures.opinion is not None:
        found["confidence"] = measures.opinion.confidence
        found["class_as_asked"] = float(measures.opinion.label == measures.label)
    if measures.distance is not None:
        found["nearest_ratio"] = measures.distance
    if measures.copy is not None:
        found["memorised"] = float(measures.copy)
    return {key: round(float(value), 4) for key, value in found.items()}


def iter_kept(
    engine: Engine, name: str, specs: Iterable[SampleSpec], *, measure: bool = True
) -> Iterator[tuple[KeptImage, RGBImage]]:
    """Make images one batch at a time, each with how it came about and what was measured about it.

    Raises:
        ModelUnavailableError, InvalidOptionError: as `inspect`.
    """
    for some, images in iter_samples(engine, name, specs):
        scores = [scores_of(each) for each in measured(engine, name, some, images)] if measure else [{}] * len(some)
        for spec, image, figures in zip(some, images, scores, strict=True):
            yield kept_as(engine, name, spec, figures), image


def kept_as(engine: Engine, name: str, spec: SampleSpec, scores: Mapping[str, float] | None = None) -> KeptImage:
    """Return how an image of the active weights came about."""
    sha256 = engine.state(name).sha256 or ""
    return KeptImage(spec.label, spec.seed, spec.truncation, name, sha256, scores or {})


def kept_again(
    engine: Engine, name: str, sha256: str, specs: Sequence[SampleSpec]
) -> Iterator[tuple[KeptImage, RGBImage]]:
    """Make images again that somebody chose, each with what was measured about it.

    Args:
        sha256: of the weights that they were sampled with.
    Raises:
        WeightsError: other weights are active now, which would give other images.
        ModelUnavailableError, InvalidOptionError: as `inspect`.
    """
    if engine.state(name).sha256 != sha256:
        raise WeightsError(
            f"Some of these images were sampled with other weights ({sha256[:12]}) than are active now, so they can't "
            "be made again. Activate those weights, or clear the stars and choose again."
        )
    yield from iter_kept(engine, name, specs)


def to_png(kept: KeptImage, image: RGBImage) -> bytes:
    """Return the file of an image, whose metadata says that it is synthetic and how to make it again."""
    return with_text(encode_png(image), marks(kept))


def name_of(kept: KeptImage) -> str:
    """Return its file name, which says that it is synthetic."""
    return file_name(kept)


def marker_of(name: str) -> Marker:
    """Return the marker that a generator paints."""
    return get_card(name).marker or Marker.PR


def _heat(engine: Engine, marker: Marker, image: RGBImage, label: str) -> RGBImage:
    """The image with the heat map of a class, at the classifier's input size."""
    loaded = engine.model(CLASSIFIER[marker])
    side = loaded.card.input_px
    tile = prepare_tiles(image, [Box(0, 0, image.shape[1], image.shape[0])], side)
    layer = CAM_LAYER[marker]
    target = loaded.card.labels.index(label)
    heatmap = explain(loaded, tile, target=target, layers=[layer], method=CamMethod.GRAD_CAM)[layer][0]
    return blend(np.ascontiguousarray(tile[0]), heatmap)


def _nearest(
    engine: Engine, name: str, image: RGBImage, folders: Sequence[Path]
) -> tuple[Nearest | None, str, RGBImage | None]:
    try:
        index = require_index(engine, name)
        found = nearest(index, tile_features(engine, image[None]))[0]
    except (WeightsError, ModelUnavailableError) as error:
        return None, str(error), None
    return found, "", picture_of(index, found.row, folders)
