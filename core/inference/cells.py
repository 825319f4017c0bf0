"""The cells of one IHC field: their nuclei, their membranes, and the scores that follow from them."""

from dataclasses import replace

from core.inference.aggregation import Aggregate
from core.inference.engine import Engine
from core.inference.scoring import IhcField
from core.labels import Marker, NucleiMethod
from core.quantify.checks import he_given_as_ihc, nuclei_findings, stain_findings, unsuitable
from core.quantify.membrane import measured_cells, membrane_scores
from core.quantify.membrane_features import ASSUMED_MPP
from core.quantify.membrane_scale import OTHER_SIZE, likeliest_mpp, membrane_scale_finding
from core.quantify.nuclei import find_nuclei
from core.quantify.nuclei_learned import read_limits
from core.quantify.scores import nuclear_scores
from core.stains.vectors import estimate_vectors
from core.types import Measurements, Notice, Nuclei, Options, Progress, StainCall, no_progress

DETECTOR = "nuclei"
"""Name of the learned detector among the models."""


def find_cells(
    engine: Engine, field: IhcField, call: StainCall, options: Options, *, progress: Progress = no_progress
) -> tuple[Nuclei | None, tuple[Notice, ...]]:
    """Find the nuclei of an IHC field, and the membranes around them for a membrane marker.

    Without usable weights of the learned detector the classical method answers, and a remark says so.

    Args:
        field: a real stain, in the upload's pixels.
        call: what the stain was recognised as.
        options: marker, method and operating point.
    Returns:
        the nuclei, None where the picture cannot be measured; and remarks, the reason among them.
    """
    image, white = field.image, field.white
    vectors = estimate_vectors(image, white)
    reason = unsuitable(image, white) or he_given_as_ihc(call, vectors)
    if reason:
        return None, (Notice("unsuitable", "error", f"It was not scored. {reason}"),)
    learned = options.nuclei is NucleiMethod.LEARNED
    remarks = stain_findings(image, white, vectors)
    if learned and (problem := engine.state(DETECTOR).error):
        learned, remarks = False, (*remarks, _fallen_back(problem))
    detect = engine.detect_nuclei if learned else None
    limits = read_limits(engine.extras(DETECTOR)) if learned else None
    mpp = field.mpp
    if options.marker is Marker.HER2 and detect is not None:
        if mpp is None:
            mpp = likeliest_mpp(image, white, detect, limits)
        elif doubt := membrane_scale_finding(image, white, mpp, detect, limits):
            remarks = (*remarks, doubt)
    nuclei = find_nuclei(
        image,
        white,
        mpp,
        detect=detect,
        operating_point=options.operating_point,
        limits=limits,
        stains=vectors.pair,
        progress=progress,
    )
    nuclei = replace(nuclei, mpp_estimated=field.mpp is None)
    remarks += nuclei_findings(image, white, nuclei, nuclear=options.marker is Marker.PR)
    if options.marker is Marker.HER2:
        nuclei = measured_cells(image, nuclei, white)
    return nuclei, remarks + _estimated(nuclei)


def with_scores(measured: Measurements, nuclei: Nuclei, marker: Marker) -> Measurements:
    """Add the scores of the cells to what was measured, by the marker: of nuclei, or of membranes."""
    if marker is Marker.HER2:
        return replace(measured, nuclei_counted=len(nuclei), membrane=membrane_scores(nuclei))
    scores = nuclear_scores(nuclei)
    if not scores.counted:
        return replace(measured, nuclei_counted=0, nuclear=scores)
    return replace(
        measured,
        nuclear=scores,
        nuclei_counted=scores.counted,
        positive_nuclei_percent=scores.percent_positive.value,
        allred=scores.allred,
        h_score=scores.h_score.value,
    )


def measured_rule(measured: Measurements, aggregate: Aggregate) -> tuple[str | None, str]:
    """Return the class by measurement alone and its rule in words: the guideline on the cells where it gives one.

    Otherwise (no cells, not enough tumour, or a gap of the guideline) the rule on the tiles stands.
    """
    reading = measured.membrane.reading if measured.membrane else None
    if reading is not None and reading.score is not None:
        return reading.score.value, reading.rule.removeprefix(f"{reading.score.value}: ")
    return aggregate.rule_label, aggregate.rule_text


def _estimated(nuclei: Nuclei) -> tuple[Notice, ...]:
    """Say which pixel size the cells suggest where none is known, and louder where the score was read at another."""
    if not nuclei.mpp_estimated or not len(nuclei):
        return ()
    found = f"Cells were measured at about {nuclei.mpp:.2g} µm per pixel, estimated from the nuclei"
    if max(nuclei.mpp / ASSUMED_MPP, ASSUMED_MPP / nuclei.mpp) < OTHER_SIZE:
        return (Notice("scale-estimated", "info", f"{found}. Choose the magnification if you know it."),)
    advice = f"the score was read at {ASSUMED_MPP:g} µm. Choose the magnification and run again, so that both agree."
    return (Notice("scale-estimated", "warning", f"{found}; {advice}"),)


def _fallen_back(problem: str) -> Notice:
    return Notice(
        "detector-missing",
        "warning",
        f"The learned detector of nuclei cannot be used ({problem.rstrip('.')}), so nuclei were found by image "
        "processing alone, which is less accurate. An administrator can restore its weights on the Models page.",
    )
