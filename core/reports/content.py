"""The words and figures of a report, written once; PDF, ZIP and page only lay them out."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from core.labels import CLASSES, INSUFFICIENT, NOT_SCORED, PRIMARY_CAM_LAYER, Marker, Scale, Stain, StainSource
from core.quantify.adjusted import Adjusted
from core.quantify.grading import UNCHANGED
from core.reports.measured import adjusted_rows, cell_rows, nuclei_row
from core.reports.rows import Row
from core.types import Adjustments, Analysis, Measurements, Notice, Nuclei, Result

DISCLAIMER = "Research use only. Not for diagnosis."
VIRTUAL_REMARK = "Virtual IHC made from H&E: not real staining."
VIRTUAL_CODE = "virtual-stain"
"""Code of the notice that says so at length."""

_MEANING = {
    "0": "negative",
    "1+": "negative",
    "2+": "equivocal",
    "3+": "positive",
    "PR-": "negative",
    "PR+": "positive",
    INSUFFICIENT: "no tissue that could carry a score",
    NOT_SCORED: "the image is neither H&E nor IHC",
}
_SCALE_SOURCE = {Scale.FILE: "from the file", Scale.UNKNOWN: "unknown"}


@dataclass(frozen=True)
class OwnEntry:
    """What the pathologist recorded beside the model's answer.

    Attributes:
        score: a class of the marker, or None where only a comment was written.
        recorded: when, as shown to the reader; may be empty.
    """

    score: str | None = None
    comment: str = ""
    author: str = ""
    recorded: str = ""


@dataclass(frozen=True)
class ClassShare:
    """One bar of the probability chart; `probability` in [0, 1]."""

    label: str
    probability: float
    in_set: bool


@dataclass(frozen=True)
class ReportContent:
    """Everything a report says, as text ready to be laid out.

    Attributes:
        answer: the outcome ("2+"); `meaning` says it in a word ("equivocal").
        confidence: with its unit, or why there is none.
        banner: that the stain is virtual; empty for a real one. `notices` holds all other remarks.
        alternatives: what else cannot be excluded, or an empty text.
        agreement: how the pathologist's own score relates to the answer; empty without one.
        analysis: where the texts came from, for tile maps and the like.
        adjusted: what a person changed, and the figures that follow; empty where nobody did.
        adjusted_label: heading of `adjusted`, with the time.
        nuclei, adjustments: for outlines; None where no nuclei were sought.
    """

    title: str
    name: str
    created: str
    answer_label: str
    answer: str
    meaning: str
    confidence: str
    alternatives: str
    shares: tuple[ClassShare, ...]
    stain: str
    virtual: bool
    banner: str
    notices: tuple[Notice, ...]
    rule: str
    measurements: tuple[Row, ...]
    provenance: tuple[Row, ...]
    heatmap_layer: str | None
    own: OwnEntry | None
    agreement: str
    analysis: Analysis
    adjusted: tuple[Row, ...] = ()
    adjusted_label: str = ""
    nuclei: Nuclei | None = None
    adjustments: Adjustments = UNCHANGED


def report_content(result: Result, own: OwnEntry | None = None, adjusted: Adjusted | None = None) -> ReportContent:
    """Put one result into words, with the pathologist's own entry and adjusted figures where there are any."""
    analysis = result.analysis
    return ReportContent(
        title=f"{analysis.marker.title} report",
        name=analysis.name,
        created=readable_time(analysis.provenance.created),
        answer_label="PR status" if analysis.marker is Marker.PR else f"{analysis.marker.title} score",
        answer=analysis.outcome,
        meaning=_meaning(analysis),
        confidence=_confidence(analysis),
        alternatives=_alternatives(analysis),
        shares=tuple(
            ClassShare(label, analysis.probabilities[label], label in analysis.prediction_set)
            for label in CLASSES[analysis.marker]
            if label in analysis.probabilities
        ),
        stain=_stain(analysis),
        virtual=analysis.stain_source is StainSource.VIRTUAL,
        banner=_banner(analysis),
        notices=tuple(notice for notice in analysis.notices if notice.code != VIRTUAL_CODE),
        rule=analysis.rule,
        measurements=(*_tile_rows(analysis), *_measurement_rows(result)),
        provenance=_provenance_rows(analysis),
        heatmap_layer=primary_layer(tuple(result.pictures.heatmaps)),
        own=own,
        agreement=_agreement(own, analysis.outcome),
        analysis=analysis,
        adjusted=adjusted_rows(adjusted) if adjusted is not None else (),
        adjusted_label=_adjusted_label(adjusted),
        nuclei=result.nuclei,
        adjustments=adjusted.adjustments if adjusted is not None else UNCHANGED,
    )


def _adjusted_label(adjusted: Adjusted | None) -> str:
    if adjusted is None:
        return ""
    return f"Adjusted by hand, {readable_time(adjusted.at)}" if adjusted.at else "Adjusted by hand"


def _meaning(analysis: Analysis) -> str:
    """The outcome in a word; where no class can be excluded, no outcome means anything yet."""
    if len(analysis.prediction_set) == len(CLASSES[analysis.marker]):
        return "undecided"
    return _MEANING.get(analysis.outcome, "")


def primary_layer(layers: tuple[str, ...]) -> str | None:
    """Choose the layer a report shows: the published primary one, else the deepest there is."""
    if PRIMARY_CAM_LAYER in layers:
        return PRIMARY_CAM_LAYER
    return layers[-1] if layers else None


def percent(share: float) -> str:
    """Write a share in [0, 1] as percent with two significant figures ("71 %", "0.42 %")."""
    value = 100 * share
    if 0 < value < 0.1:
        return "< 0.1 %"
    if 99 < value < 100:
        return f"{int(value * 10) / 10:.1f} %"  # never rounds up to a certainty that is not there
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.2g} %"


def readable_time(iso: str) -> str:
    """Write an ISO 8601 time as "21 Nov 2026, 20:49 UTC"; a text that is no time stays as it is."""
    try:
        time = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    return f"{time.day} {time:%b %Y, %H:%M} UTC"


def _confidence(analysis: Analysis) -> str:
    if analysis.confidence is None:
        return "nothing was scored"
    return f"confidence {percent(analysis.confidence)}"


def _alternatives(analysis: Analysis) -> str:
    others = [label for label in analysis.prediction_set if label != analysis.outcome]
    return f"could also be {' or '.join(others)}" if others else ""


def _banner(analysis: Analysis) -> str:
    if analysis.stain_source is StainSource.REAL:
        return ""
    said = (notice.message for notice in analysis.notices if notice.code == VIRTUAL_CODE)
    return next(said, VIRTUAL_REMARK)


def _stain(analysis: Analysis) -> str:
    call = analysis.stain
    if call.overruled:
        return f"{call.stain.title}, as chosen by the user"
    text = f"{call.stain.title}, recognised ({percent(call.probabilities.get(call.stain.value, 0.0))})"
    if call.unsure:
        text += ", unsure"
    return text if call.stain is not Stain.NEITHER else text + ": not scored unless the user insists"


def _agreement(own: OwnEntry | None, outcome: str) -> str:
    if own is None or own.score is None:
        return ""
    return "agrees with the model" if own.score == outcome else f"differs from the model ({outcome})"


def _tile_rows(analysis: Analysis) -> list[Row]:
    if not analysis.tiles:
        return []
    counts = Counter(tile.label for tile in analysis.tiles)
    shown = ", ".join(f"{label}: {counts[label]}" for label in CLASSES[analysis.marker] if counts[label])
    return [Row("Tiles scored", f"{len(analysis.tiles)} ({shown})")]


def _measurement_rows(result: Result) -> list[Row]:
    analysis = result.analysis
    measured = analysis.measurements
    if measured is None:
        return []
    return [
        *_density_rows(measured, analysis.marker),
        *([nuclei_row(result.nuclei)] if result.nuclei is not None else []),
        *(cell_rows(measured) or _nuclei_rows(measured)),  # figures of earlier versions have no intervals
        *_rule_rows(measured, analysis.outcome),
    ]


def _density_rows(measured: Measurements, marker: Marker) -> list[Row]:
    rows = [
        Row("DAB area", f"{percent(measured.dab_area_percent / 100)} of tissue (OD > {measured.dab_threshold:.2f})"),
        Row("DAB density", f"mean {measured.dab_od_mean:.2f} OD, 90th percentile {measured.dab_od_p90:.2f} OD"),
    ]
    if marker is Marker.HER2:
        text = f"{measured.membrane_energy:.3f} OD (90th percentile of the white top-hat)"
        rows.append(Row("Membrane ridges", text))
    return rows


def _nuclei_rows(measured: Measurements) -> list[Row]:
    rows = []
    if measured.positive_nuclei_percent is not None:
        counted = f" of {measured.nuclei_counted} counted" if measured.nuclei_counted is not None else ""
        rows.append(Row("Positive nuclei", f"{percent(measured.positive_nuclei_percent / 100)}{counted}"))
    if measured.allred is not None:
        rows.append(Row("Allred score", f"{measured.allred} of 8"))
    if measured.h_score is not None:
        rows.append(Row("H-score", f"{measured.h_score:.0f} of 300"))
    return rows


def _rule_rows(measured: Measurements, outcome: str) -> list[Row]:
    if measured.rule_label is None:
        return [Row("By measurement", measured.rule_text)] if measured.rule_text else []
    relation = "agrees" if measured.rule_label == outcome else f"differs from {outcome}"
    return [Row("By measurement", f"{measured.rule_label} ({relation}). {measured.rule_text}".strip())]


def _provenance_rows(analysis: Analysis) -> tuple[Row, ...]:
    made = analysis.provenance
    source = _SCALE_SOURCE.get(made.scale, f"{made.scale.value}, as chosen by the user")
    scale = f"{made.mpp:.3g} µm per pixel ({source})" if made.mpp is not None else "unknown"
    seconds = ", ".join(f"{step} {value:.2f}" for step, value in made.seconds.items())
    thresholds = ", ".join(f"{name} {value:.4g}" for name, value in made.thresholds.items())
    rows = [
        Row("Image SHA-256", made.image_sha256),
        *(Row(f"Weights {name}", sha256) for name, sha256 in made.models.items()),
        Row("Image size", f"{made.size[0]} x {made.size[1]} px"),
        Row("Pixel size", scale),
        Row("Thresholds", thresholds),
        Row("Version", f"IHC Workbench {made.version}, {made.backend}"),
        Row("Seconds", f"{sum(made.seconds.values()):.2f} in all: {seconds}" if made.seconds else ""),
    ]
    return tuple(row for row in rows if row.value)
