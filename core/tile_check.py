"""One tile of a scored image explained in several ways, and how far each way can be trusted."""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InvalidOptionError
from core.explain import attribution, deletion
from core.explain.attribution import Answers, Attribution, classifier_of
from core.explain.cam import explain_in_ways
from core.explain.faithfulness import Faithfulness, check_maps
from core.explain.field import box_of
from core.explain.randomised import DRAWS, STAGES, Randomised, compare
from core.inference.engine import Engine
from core.inference.scoring import CLASSIFIER, IhcField, network_inputs
from core.labels import CamMethod, Perturbation
from core.models.card import ModelCard
from core.models.registry import get_card
from core.models.weights import LoadedModel
from core.scored_field import scored_field, scored_image
from core.slides.tiling import Box
from core.stains.separation import White
from core.types import Heatmap, Mask, Progress, Result, RGBImage, no_progress

PASS_COST = 6
"""One forward and one backward pass in plain torch takes about as long as so many answers of the engine."""


@dataclass(frozen=True)
class TileWish:
    """What is asked about one tile.

    Attributes:
        tile: index among the result's tiles.
        target: class to explain.
        layer: whose class activation maps are checked.
        cams: methods of class activation maps.
        perturbations: LIME, occlusion.
        samples: of LIME.
        seed: of LIME's samples and of all random orders.
    """

    tile: int
    target: str
    layer: str
    cams: tuple[CamMethod, ...] = (CamMethod.GRAD_CAM,)
    perturbations: tuple[Perturbation, ...] = tuple(Perturbation)
    samples: int = 300
    seed: int = 0


@dataclass(frozen=True)
class TileCheck:
    """The answer to a wish.

    Attributes:
        image: (px, px, 3) uint8 RGB as the network sees the tile.
        maps: name -> (px, px) float32 in [0, 1].
        attributions: what LIME and occlusion found.
    """

    wish: TileWish
    image: RGBImage
    maps: dict[str, Heatmap]
    attributions: tuple[Attribution, ...]
    faithfulness: Faithfulness


def check_tile(
    data: bytes, former: Result, wish: TileWish, *, engine: Engine, progress: Progress = no_progress
) -> TileCheck:
    """Explain one tile of a result in several ways and check the heat maps.

    Args:
        data: the bytes that were scored.
        former: their result, with tiles.
        progress: called for every batch; may raise CancelledError.
    Raises:
        InvalidOptionError: the image is another one, or there is no such tile, class or layer.
        ModelUnavailableError: the network has no usable weights.
    """
    analysis = former.analysis
    card = get_card(CLASSIFIER[analysis.marker])
    _check(wish, card, len(analysis.tiles))
    start = time.perf_counter()
    progress("reading", 0, 1)
    field = scored_field(scored_image(data, analysis), analysis, engine, progress)
    box = box_of(analysis.tiles[wish.tile])
    image = network_inputs(field, [box], card)[0]
    glass = field.white if card.white_level is None else np.full(3, card.white_level)
    tissue = tissue_of(field, box, analysis.provenance.size[0])
    return check_image(image, wish, card, engine=engine, glass=glass, tissue=tissue, start=start, progress=progress)


def check_image(
    image: RGBImage,
    wish: TileWish,
    card: ModelCard,
    *,
    engine: Engine,
    glass: White,
    tissue: Mask,
    start: float | None = None,
    progress: Progress = no_progress,
) -> TileCheck:
    """The same for a tile that is cut out already.

    Args:
        image: (px, px, 3) uint8 RGB at the network's input size.
        glass: (3,) RGB of empty glass in it.
        tissue: of the tile, (h, w) bool at any resolution.
        start: `time.perf_counter()` when the work began; now by default.
    """
    began = time.perf_counter() if start is None else start
    names = {method: f"{method} {wish.layer}" for method in wish.cams}
    passes = 1 + DRAWS * len(STAGES[card.name]) if names else 0
    planned = sum(attribution.answers_needed(each, wish.samples) for each in wish.perturbations)
    planned += deletion.answers_needed(len(names) + len(wish.perturbations)) + passes * PASS_COST
    target = card.labels.index(wish.target)
    answers = Answers(classifier_of(engine, card.name), target, progress=progress, planned=planned)
    loaded = engine.model(card.name)

    def cams_of(network: LoadedModel) -> dict[str, Heatmap]:
        found = explain_in_ways(network, image, target=target, layer=wish.layer, methods=wish.cams)
        answers.spend(PASS_COST)
        return {names[method]: heatmap for method, heatmap in found.items()}

    answers.step = "Grad-CAM"
    maps = cams_of(loaded) if names else {}
    answers.step = "random weights"
    randomised: dict[str, tuple[Randomised, ...]] = compare(loaded, maps, cams_of, seed=wish.seed) if maps else {}
    attributions = tuple(
        attribution.attribute(method, image, answers, glass=glass, samples=wish.samples, seed=wish.seed)
        for method in wish.perturbations
    )
    maps |= {found.method.value: found.heatmap for found in attributions}
    faithfulness = check_maps(
        image,
        maps,
        answers,
        target=wish.target,
        tissue=tissue,
        glass=glass,
        randomised=randomised,
        attributions=attributions,
        clock=lambda: time.perf_counter() - began,
        seed=wish.seed,
    )
    return TileCheck(wish, image, maps, attributions, faithfulness)


def tissue_of(field: IhcField, box: Box, width: int) -> Mask:
    """The part of a field's tissue that lies in one tile.

    Args:
        box: in pixels of the upload.
        width: of the upload in pixels.
    """
    place = box.scaled(field.tissue.shape[1] / width)
    part: npt.NDArray[np.bool_] = field.tissue[
        max(0, place.y) : place.y + max(1, place.height), max(0, place.x) : place.x + max(1, place.width)
    ]
    return part


def _check(wish: TileWish, card: ModelCard, tiles: int) -> None:
    if not 0 <= wish.tile < tiles:
        raise InvalidOptionError(f"There is no tile {wish.tile + 1}; this image has {tiles} scored tiles.")
    if wish.target not in card.labels:
        raise InvalidOptionError(f"{wish.target!r} is not a class; the classes are: {', '.join(card.labels)}.")
    if not wish.cams and not wish.perturbations:
        raise InvalidOptionError("No method is chosen. Choose at least one heat map to check.")
