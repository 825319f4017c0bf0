"""What one image goes through: the one path that page, API and command line share.

decode -> quality -> stain -> virtual stain if H&E -> measure -> nuclei and membranes -> tiles -> classify -> aggregate
-> explain -> result
"""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from core import __version__
from core.errors import InvalidOptionError
from core.explain.field import box_of, explain_chosen, worth_explaining
from core.images import resize_to, resize_to_fit
from core.inference.cells import DETECTOR, find_cells, measured_rule, with_scores
from core.inference.engine import Engine
from core.inference.scoring import (
    CLASSIFIER,
    MIN_TISSUE,
    IhcField,
    Scored,
    network_inputs,
    score_field,
    tile_results,
)
from core.inference.virtual_staining import GENERATOR
from core.labels import (
    CAM_LAYERS,
    CLASSES,
    INSUFFICIENT,
    MPP_OF_SCALE,
    NOT_SCORED,
    CamMethod,
    Marker,
    NucleiMethod,
    Scale,
    Stain,
    StainSource,
)
from core.models.registry import get_card
from core.notices import image_notices, likeness_notices, outcome_notices, scale_notices, stain_notices
from core.quality.measures import assess, quality_notices, tissue_mask
from core.quantify.measurements import DAB_THRESHOLD, measure
from core.quantify.membrane_features import ASSUMED_MPP
from core.scored_field import decode_upload, ihc_field, scored_field, scored_image
from core.stains.recognition import recognise
from core.stains.separation import separate, white_point
from core.stopwatch import Stopwatch
from core.types import (
    DISPLAY_PX,
    Analysis,
    DecodedImage,
    DensityMap,
    Measurements,
    Notice,
    Nuclei,
    Options,
    Pictures,
    Progress,
    Provenance,
    QualityReport,
    Result,
    RGBImage,
    StainCall,
    TileResult,
    no_progress,
)

STEPS = 8
CAM_LAYERS_OF = {Marker.HER2: CAM_LAYERS, Marker.PR: ("conv1", "conv2")}


def analyze(
    data: bytes,
    name: str,
    options: Options,
    *,
    engine: Engine,
    progress: Progress = no_progress,
    max_bytes: int | None = None,
) -> Result:
    """Score one uploaded image and explain the score.

    Args:
        data: the bytes of the upload.
        name: its file name.
        progress: called with the step in the user's words; may raise CancelledError.
        max_bytes: upload limit; None takes the installation's.
    Raises:
        InvalidImageError, TooLargeError: the upload can't be analysed.
        ModelUnavailableError: a network this needs has no usable weights.
        InvalidOptionError: an option is not one of the allowed values.
    """
    layers = _layers(options)
    clock = Stopwatch(progress, STEPS)
    with clock.step("reading"):
        decoded = decode_upload(data, name, max_bytes)
    with clock.step("checking quality"):
        white = white_point(decoded.image)
        tissue = tissue_mask(decoded.image, white)
        quality = assess(decoded.image, white, tissue)
    with clock.step("recognising the stain"):
        stain = _stain(decoded.image, options)
    mpp = decoded.mpp if options.scale is Scale.FILE else MPP_OF_SCALE.get(options.scale)
    draft = _draft(decoded, options, quality, stain, mpp)
    display = resize_to_fit(decoded.image, DISPLAY_PX)
    if stain.stain is Stain.NEITHER and not options.insist:
        return Result(_finished(draft, clock, engine), Pictures(display, display))

    virtual = stain.stain is Stain.HE
    with clock.step("staining virtually" if virtual else "separating the stains") as part:
        field = ihc_field(engine, decoded.image, mpp, white, tissue, virtual=virtual, progress=part)
    with clock.step("measuring"):
        pictures = _pictures(field, display)
        measured = measure(_dab(pictures), field.tissue)
    nuclei: Nuclei | None = None
    remarks: tuple[Notice, ...] = ()
    if not virtual and options.nuclei is not NucleiMethod.NONE:
        with clock.step("finding nuclei") as part:
            nuclei, remarks = find_cells(engine, field, stain, options, progress=part)
        if nuclei is None and not options.insist:
            refused = replace(draft, notices=draft.notices + remarks)
            return Result(_finished(refused, clock, engine), Pictures(display, display))
        if nuclei is not None:
            measured = with_scores(measured, nuclei, options.marker)
    with clock.step("scoring") as part:
        card = get_card(CLASSIFIER[options.marker])
        size = (decoded.image.shape[1], decoded.image.shape[0])
        scored = score_field(engine, field, card, size, measured=measured, progress=part)
    target = options.target or scored.aggregate.outcome
    tiles = tile_results(scored, card.labels)
    if options.explain and layers and target in card.labels and tiles:
        with clock.step("explaining"):
            chosen = worth_explaining(tiles, card, target)
            inputs = scored.inputs[list(chosen)]
            tiles, pictures = explain_chosen(
                engine, card, tiles, chosen, inputs, pictures, size, target, layers, options.cam_method
            )
    analysis = _answered(draft, scored, measured, tiles, target, card.labels)
    analysis = replace(analysis, notices=analysis.notices + remarks)
    return Result(_finished(analysis, clock, engine, nuclei), pictures, nuclei)


def explain_again(
    data: bytes,
    former: Result,
    *,
    engine: Engine,
    target: str,
    method: CamMethod,
    progress: Progress = no_progress,
) -> Result:
    """Explain another class of a scored image, or with another method; the score stays as it is.

    Args:
        data: the bytes that were scored.
        former: their result, with tiles.
        target: class to explain.
    Raises:
        InvalidOptionError: the image is another one, or there is no such class.
    """
    analysis = former.analysis
    layers = _layers(Options(marker=analysis.marker, target=target))
    clock = Stopwatch(progress, 2)
    with clock.step("reading"):
        decoded = scored_image(data, analysis)
    card = get_card(CLASSIFIER[analysis.marker])
    with clock.step("explaining"):
        field = scored_field(decoded, analysis, engine)
        chosen = worth_explaining(analysis.tiles, card, target)
        inputs = network_inputs(field, [box_of(analysis.tiles[index]) for index in chosen], card)
        size = analysis.provenance.size
        tiles, pictures = explain_chosen(
            engine, card, analysis.tiles, chosen, inputs, former.pictures, size, target, layers, method
        )
    return Result(replace(analysis, tiles=tiles, target=target, cam_method=method), pictures, former.nuclei)


def _layers(options: Options) -> tuple[str, ...]:
    """The asked layers that the marker's network has; all of them where none of its own was asked for."""
    known = CAM_LAYERS_OF[options.marker]
    everything = {layer for layers in CAM_LAYERS_OF.values() for layer in layers}
    unknown = [layer for layer in options.layers if layer not in everything]
    if unknown:
        raise InvalidOptionError(f"There is no layer called {unknown[0]!r}. The layers are: {', '.join(known)}.")
    if options.target is not None and options.target not in CLASSES[options.marker]:
        raise InvalidOptionError(
            f"{options.target!r} is not a class of {options.marker.title}; "
            f"the classes are: {', '.join(CLASSES[options.marker])}."
        )
    if not options.layers:
        return ()
    return tuple(layer for layer in known if layer in options.layers) or known


def _stain(image: RGBImage, options: Options) -> StainCall:
    """What the image shows: recognised, unless the user overrules; who insists scores the likelier real stain."""
    call = recognise(image)
    if options.stain in (Stain.HE.value, Stain.IHC.value):
        return replace(call, stain=Stain(options.stain.value), overruled=True, unsure=False)
    if call.stain is Stain.NEITHER and options.insist:
        likelier = max((Stain.IHC, Stain.HE), key=lambda stain: call.probabilities[stain.value])
        return replace(call, stain=likelier, overruled=True)
    return call


def _draft(
    decoded: DecodedImage, options: Options, quality: QualityReport, stain: StainCall, mpp: float | None
) -> Analysis:
    """The answer before anything was scored."""
    return Analysis(
        marker=options.marker,
        name=decoded.name,
        outcome=NOT_SCORED,
        confidence=None,
        probabilities={},
        prediction_set=(),
        rule="",
        stain=stain,
        stain_source=StainSource.VIRTUAL if stain.stain is Stain.HE else StainSource.REAL,
        quality=quality,
        tiles=(),
        measurements=None,
        notices=quality_notices(quality) + scale_notices(mpp, ASSUMED_MPP) + image_notices(decoded.notes),
        provenance=Provenance(
            version=__version__,
            models={},
            image_sha256=decoded.sha256,
            backend="",
            seconds={},
            thresholds={
                "sharpness": quality.sharpness_limit,
                "tile tissue share": MIN_TISSUE,
                "DAB optical density": DAB_THRESHOLD,
            },
            mpp=mpp,
            scale=options.scale if mpp is not None else Scale.UNKNOWN,
            size=(decoded.image.shape[1], decoded.image.shape[0]),
            created="",
        ),
        cam_method=options.cam_method,
    )


def _pictures(field: IhcField, display: RGBImage) -> Pictures:
    """The upload, the scored IHC and its stain densities, all at display size."""
    height, width = display.shape[:2]
    ihc = display if field.source is StainSource.REAL else resize_to(field.image, (width, height))
    stains = separate(ihc, field.white)
    return Pictures(display, ihc, dab=stains.dab, hematoxylin=stains.hematoxylin)


def _dab(pictures: Pictures) -> DensityMap:
    return pictures.dab if pictures.dab is not None else np.zeros(pictures.ihc.shape[:2], np.float32)


def _answered(
    draft: Analysis,
    scored: Scored,
    measured: Measurements,
    tiles: tuple[TileResult, ...],
    target: str,
    labels: tuple[str, ...],
) -> Analysis:
    """The draft with the score, its tiles and what follows from them."""
    aggregate = scored.aggregate
    label, text = measured_rule(measured, aggregate)
    measured = replace(measured, membrane_energy=scored.membrane_energy, rule_label=label, rule_text=text)
    probabilities = dict(zip(labels, aggregate.probabilities, strict=False))
    confidence = probabilities.get(aggregate.outcome)
    likeness = scored.likeness
    limits = {"distance from training tiles": likeness.threshold} if likeness and not likeness.problem else {}
    return replace(
        draft,
        provenance=replace(draft.provenance, thresholds=draft.provenance.thresholds | limits),
        outcome=aggregate.outcome,
        confidence=confidence,
        probabilities=probabilities,
        prediction_set=aggregate.prediction_set,
        rule=aggregate.rule + (f" {scored.blank} blank tiles were left out." if scored.blank else ""),
        tiles=tiles,
        measurements=measured,
        notices=draft.notices
        + likeness_notices(likeness)
        + outcome_notices(draft.marker, aggregate.outcome, measured, confidence),
        target=target if target != INSUFFICIENT else "",
    )


def _finished(analysis: Analysis, clock: Stopwatch, engine: Engine, nuclei: Nuclei | None = None) -> Analysis:
    """The analysis with all its remarks, most serious first, and what produced it."""
    used: list[str] = []
    if analysis.outcome != NOT_SCORED:
        used = [GENERATOR] if analysis.stain_source is StainSource.VIRTUAL else []
        used += [DETECTOR] if nuclei is not None and nuclei.method is NucleiMethod.LEARNED else []
        used.append(CLASSIFIER[analysis.marker])
    notices = stain_notices(analysis.stain, analysis.stain_source) + analysis.notices
    order = {"error": 0, "warning": 1, "info": 2}
    provenance = replace(
        analysis.provenance,
        models={model: engine.model(model).sha256 for model in used},
        backend=engine.backend,
        seconds=clock.seconds,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    ordered = tuple(sorted(notices, key=lambda notice: order[notice.level]))
    return replace(analysis, notices=ordered, provenance=provenance)
