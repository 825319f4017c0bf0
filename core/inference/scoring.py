"""From one IHC field to scored tiles and one answer for the image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.inference.aggregation import Aggregate, aggregate_her2
from core.inference.aggregation_pr import aggregate_pr
from core.inference.calibration import numbers_of
from core.inference.classification import classify_tiles, prepare_tiles
from core.inference.engine import Engine
from core.inference.likeness import likeness_of
from core.inference.virtual_staining import GENERATOR, at_generator_scale, stain_image
from core.labels import Marker, StainSource
from core.models.card import ModelCard
from core.quality.measures import tissue_fractions
from core.quality.novelty import Likeness
from core.quantify.membrane_features import ASSUMED_MPP, FEATURES, features_array, membrane_energy
from core.slides.tiling import Box, plan_tiles
from core.stains.separation import White, white_point
from core.stains.white import balance_white
from core.types import Mask, Measurements, Progress, RGBImage, TileResult, no_progress

CLASSIFIER = {Marker.HER2: "ihcnet", Marker.PR: "simple_cnn"}

MIN_TISSUE = 0.05
"""A tile with less tissue than this share is blank and not scored."""

UNSTAINED_BROWN = 0.03
"""98th percentile of the brown density below which a tile holds no stained nucleus: on annotated fields, 98 % of the
tiles with one exceed 0.06."""


@dataclass(frozen=True)
class IhcField:
    """The IHC that is scored, and how its pixels relate to the upload's.

    Attributes:
        image: (H, W, 3) uint8 RGB, real or virtual.
        factor: its pixels per pixel of the upload.
        mpp: micrometres per pixel of `image`; None where unknown.
        white: (3,) white point of `image`.
        tissue: (h, w) bool of the upload, at any resolution.
    """

    image: RGBImage
    factor: float
    mpp: float | None
    white: White
    tissue: Mask
    source: StainSource


@dataclass(frozen=True)
class Scored:
    """The tissue tiles of one field, scored, and the answer for the image.

    Attributes:
        boxes: N tiles in pixels of the upload.
        inputs: (N, px, px, 3) uint8 RGB, what the network saw.
        probs: (N, C) class probabilities of each tile.
        tissue: (N,) share of each tile that is tissue.
        blank: tiles that were left out.
        likeness: to what the network was trained on; None where it is not known.
    """

    boxes: tuple[Box, ...]
    inputs: RGBImage
    probs: npt.NDArray[np.float32]
    tissue: npt.NDArray[np.float32]
    blank: int
    membrane_energy: float
    aggregate: Aggregate
    likeness: Likeness | None = None


def real_field(image: RGBImage, mpp: float | None, white: White, tissue: Mask) -> IhcField:
    """An IHC image as it is, with its white point and its tissue."""
    return IhcField(image, 1.0, mpp, white, tissue, StainSource.REAL)


def virtual_field(
    engine: Engine, image: RGBImage, mpp: float | None, tissue: Mask, progress: Progress = no_progress
) -> IhcField:
    """The IHC that the generator paints from an H&E image, at the scale of its card.

    Args:
        image: (H, W, 3) uint8 RGB H&E.
        mpp: of the upload; unknown counts as `ASSUMED_MPP`.
        tissue: of the upload.
    """
    he, factor = at_generator_scale(image, mpp)
    painted = stain_image(engine, he, progress)
    return IhcField(painted, factor, (mpp or ASSUMED_MPP) / factor, white_point(painted), tissue, StainSource.VIRTUAL)


def score_field(
    engine: Engine,
    field: IhcField,
    card: ModelCard,
    size: tuple[int, int],
    *,
    measured: Measurements | None,
    progress: Progress = no_progress,
) -> Scored:
    """Classify all tissue tiles of a field and decide its score by the marker's rule.

    Args:
        size: (width, height) of the upload in pixels.
        measured: nuclei counted on the same field, for the PR rule.
    """
    upload_mpp = None if field.mpp is None else field.mpp * field.factor
    planned = plan_tiles(size, mpp=upload_mpp or ASSUMED_MPP, tile_um=card.tile_um)
    share = tissue_fractions(field.tissue, planned, field.tissue.shape[1] / size[0])
    kept = [index for index, fraction in enumerate(share) if fraction >= MIN_TISSUE]
    boxes = tuple(planned[index] for index in kept)
    on_field = [box.scaled(field.factor) for box in boxes]
    inputs = network_inputs(field, boxes, card)
    classified = classify_tiles(engine, card.name, inputs, progress)
    probs = classified.probs
    tissue = np.asarray(share, np.float32)[kept]
    calibration = numbers_of(engine.extras(card.name), "calibration")
    features = features_array(field.image, on_field, field.white, field.mpp)
    if card.marker is Marker.PR:
        probs = without_brown_negative(probs, features)
        aggregate, energy = aggregate_pr(probs, tissue, calibration, measured), 0.0
    else:
        aggregate, energy = aggregate_her2(probs, features, tissue, calibration), membrane_energy(features)
    if field.source is StainSource.VIRTUAL:
        trust = numbers_of(engine.extras(GENERATOR), "limits").get("tells_scores_apart", 1.0)
        aggregate = _trusted(aggregate, card.labels, trust) if trust < 1 else aggregate
    likeness = likeness_of(engine, card.name, inputs, classified.features)
    return Scored(boxes, inputs, probs, tissue, len(planned) - len(boxes), energy, aggregate, likeness)


def without_brown_negative(
    probs: npt.NDArray[np.float32], features: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Call tiles without any brown PR-: fat and empty stroma hold no stained nucleus, whatever the network says.

    Args:
        probs: (N, 2) probabilities of PR- and PR+.
        features: (N, 9) as from `core.quantify.membrane_features.features_array`.
    """
    unstained = features[:, FEATURES.index("brown_p98")] < UNSTAINED_BROWN
    return np.where(unstained[:, None], np.array([0.99, 0.01], np.float32), probs).astype(np.float32)


def _trusted(aggregate: Aggregate, labels: Sequence[str], trust: float) -> Aggregate:
    """Say no more about a virtual stain than its generator knows.

    Args:
        trust: share of the answer that rests on the stain, in [0, 1]; the rest is divided evenly among the classes, and
            none of them is excluded. A generator that paints every tumour alike has 0.
    """
    if not aggregate.probabilities:
        return aggregate
    mixed = trust * np.array(aggregate.probabilities) + (1 - trust) / len(labels)
    others = [labels[index] for index in np.argsort(-mixed, kind="stable") if labels[index] != aggregate.outcome]
    return replace(
        aggregate,
        probabilities=tuple(float(p) for p in mixed),
        prediction_set=(aggregate.outcome, *others),
        rule=f"{aggregate.rule} The bundled generator does not tell the scores apart, so no score is excluded "
        "and the confidence is that of a guess.",
    )


def network_inputs(field: IhcField, boxes: Sequence[Box], card: ModelCard) -> RGBImage:
    """Cut tiles as the network wants them: its size, and its background where the card names one.

    Args:
        boxes: in pixels of the upload.
    Returns:
        (N, px, px, 3) uint8 RGB.
    """
    tiles = prepare_tiles(field.image, [box.scaled(field.factor) for box in boxes], card.input_px)
    return tiles if card.white_level is None else balance_white(tiles, field.white, level=card.white_level)


def tile_results(scored: Scored, labels: Sequence[str]) -> tuple[TileResult, ...]:
    """The scored tiles as they travel in a result."""
    best = scored.probs.argmax(axis=1) if len(scored.boxes) else np.zeros(0, int)
    return tuple(
        TileResult(
            x=box.x,
            y=box.y,
            width=box.width,
            height=box.height,
            label=labels[best[index]],
            confidence=float(scored.probs[index, best[index]]),
            probabilities=tuple(float(p) for p in scored.probs[index]),
            tissue_fraction=float(scored.tissue[index]),
        )
        for index, box in enumerate(scored.boxes)
    )
