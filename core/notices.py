"""Remarks beside a score: what each finding means for the result and what to do about it."""

from core.labels import NOT_SCORED, Her2Score, Marker, Stain, StainSource
from core.quality.novelty import Likeness
from core.quantify.scores import MIN_NUCLEI
from core.types import Measurements, Notice, StainCall

COARSE_MPP = 1.0
"""Micrometres per pixel above which membranes can't be told from cytoplasm."""


def stain_notices(call: StainCall, source: StainSource) -> tuple[Notice, ...]:
    """Remarks on what was recognised and what was scored."""
    found = []
    if call.stain is Stain.NEITHER:
        found.append(
            Notice(
                "neither-stain",
                "error",
                "This looks like neither H&E nor IHC, so it was not scored. If it is one of them, choose the stain "
                "above and run again.",
            )
        )
    elif call.unsure and not call.overruled:
        found.append(
            Notice(
                "stain-unsure",
                "warning",
                f"Read as {call.stain.title} ({call.probabilities[call.stain.value]:.0%} sure). "
                "Check it, and choose the stain yourself if this is wrong.",
            )
        )
    elif call.overruled and max(call.probabilities, key=lambda key: call.probabilities[key]) != call.stain.value:
        best = Stain(max(call.probabilities, key=lambda key: call.probabilities[key]))
        found.append(
            Notice(
                "stain-overruled",
                "warning",
                f"Scored as {call.stain.title} because you chose it; the image looks like {best.title}.",
            )
        )
    if source is StainSource.VIRTUAL:
        found.append(
            Notice(
                "virtual-stain",
                "warning",
                "Virtual IHC made from H&E: not real staining. The score shows what the generator painted. "
                "Stain a section before relying on it.",
            )
        )
    return tuple(found)


def scale_notices(mpp: float | None, assumed: float) -> tuple[Notice, ...]:
    """Remarks on the physical pixel size."""
    if mpp is None:
        return (
            Notice(
                "scale-unknown",
                "info",
                f"Pixel size unknown: read as {assumed:g} µm per pixel (40x). "
                "If the image was taken at 20x or 10x, choose that and run again; the score can change.",
            ),
        )
    if mpp > COARSE_MPP:
        return (
            Notice(
                "coarse",
                "warning",
                f"Coarse pixels: {mpp:.2g} µm each, at most {COARSE_MPP:g} is usual. "
                "Membranes can't be told from cytoplasm; rescan at 40x if you can.",
            ),
        )
    return ()


def likeness_notices(likeness: Likeness | None) -> tuple[Notice, ...]:
    """Remarks on how far the image is from those that the network was trained on."""
    if likeness is None:
        return ()
    if likeness.problem:
        return (
            Notice(
                "likeness-unknown",
                "info",
                f"Whether these tiles look like those the network was trained on could not be told. {likeness.problem}",
            ),
        )
    if not likeness.foreign:
        return ()
    return (
        Notice(
            "unlike-training",
            "warning",
            "These tiles look unlike those the network was trained on "
            f"(distance {likeness.distance:.2g}; {likeness.quantile:.0%} of real unseen images lie below "
            f"{likeness.threshold:.2g}). Its score may be arbitrary however sure it looks. Check marker, stain and "
            "magnification; if they are right, rely on your own reading.",
        ),
    )


def outcome_notices(
    marker: Marker, outcome: str, measured: Measurements | None, confidence: float | None = None
) -> tuple[Notice, ...]:
    """Remarks that follow from the score itself, and from measuring beside it."""
    sure = "" if confidence is None else f" ({confidence:.0%} sure)"
    found = []
    if outcome == Her2Score.TWO:
        found.append(Notice("equivocal", "info", "2+ is equivocal: reflex ISH is suggested."))
    if measured and measured.rule_label and outcome != NOT_SCORED and _disagree(marker, outcome, measured.rule_label):
        found.append(
            Notice(
                "disagreement",
                "warning",
                f"Score {outcome}{sure}, but the measurement alone says {measured.rule_label} ({measured.rule_text}). "
                "Look at the overlay before you rely on either.",
            )
        )
    return tuple(found) + (measured_notices(measured) if measured else ())


def measured_notices(measured: Measurements) -> tuple[Notice, ...]:
    """Remarks on the measured cells: not tumour, or too close to a cut-off; that they are too few is said elsewhere."""
    scores = measured.membrane or measured.nuclear
    if scores is None or (measured.nuclei_counted or 0) < MIN_NUCLEI:
        return ()
    found = [Notice("second-read", "warning", reason) for reason in scores.second_read]
    if measured.membrane and measured.membrane.insufficient:
        text = f"Not enough tumour tissue to measure membranes. {measured.membrane.insufficient}"
        found.append(Notice("insufficient-tumour", "warning", text))
    return tuple(found)


def image_notices(notes: tuple[str, ...]) -> tuple[Notice, ...]:
    """What was converted on reading."""
    return tuple(Notice("converted", "info", note) for note in notes)


def _disagree(marker: Marker, outcome: str, measured: str) -> bool:
    """Different status, or HER2 scores more than one grade apart."""
    grades = [score.value for score in Her2Score]
    if marker is Marker.HER2 and outcome in grades and measured in grades:
        return abs(grades.index(outcome) - grades.index(measured)) > 1
    return outcome != measured
