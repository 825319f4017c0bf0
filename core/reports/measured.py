"""Measured nuclei and membranes in words: rows of a report, and the `quantification` of an answer."""

from dataclasses import asdict
from typing import Any

from core.labels import NucleiMethod
from core.quantify.adjusted import Adjusted
from core.reports.rows import Row
from core.types import (
    Adjustments,
    GuidelineReading,
    Interval,
    Measurements,
    MembraneScores,
    NuclearScores,
    Nuclei,
    Result,
    Thresholds,
)

_METHODS = {
    NucleiMethod.LEARNED: "by the learned detector",
    NucleiMethod.CLASSICAL: "by image processing, without a network",
}


def cell_rows(measured: Measurements | None) -> list[Row]:
    """Say what was measured on nuclei and membranes; nothing where neither was sought."""
    if measured is None:
        return []
    rows = [] if measured.nuclear is None else nuclear_rows(measured.nuclear)
    return rows + ([] if measured.membrane is None else membrane_rows(measured.membrane))


def nuclear_rows(scores: NuclearScores) -> list[Row]:
    """Say what was measured on nuclei; shares with their intervals."""
    if not scores.counted:
        return [Row("Nuclei counted", _counted(scores.counted, scores.left_out))]
    fields = scores.fields
    return [
        Row("Nuclei counted", _counted(scores.counted, scores.left_out)),
        Row("Positive nuclei", _share(scores.percent_positive, fields)),
        Row("Intensity", f"{scores.weak:.1f} % weak, {scores.moderate:.1f} % moderate, {scores.strong:.1f} % strong"),
        Row("H-score", f"{scores.h_score.value:.0f} of 300{_range(scores.h_score, fields, '.0f')}"),
        Row(
            "Allred score",
            f"{scores.allred} of 8 (proportion {scores.allred_proportion}, intensity {scores.allred_intensity})",
        ),
        Row("Category", f"PgR {scores.pgr}; the same share would be ER {scores.er} (ASCO/CAP 2020)"),
        *_hot_spot_rows(scores),
        *_second_read_rows(scores.second_read),
    ]


def membrane_rows(scores: MembraneScores) -> list[Row]:
    """Say what was measured on membranes, and what the guideline says about it."""
    rows = [Row("Cells measured", _counted(scores.cells, scores.left_out))]
    if scores.cells:
        fields = scores.fields
        rows += [
            Row("Intense complete", _share(scores.intense_complete, fields)),
            Row("Weak to moderate complete", _share(scores.moderate_complete, fields)),
            Row("Faint incomplete", _share(scores.faint_incomplete, fields)),
            Row("No membrane stain", _share(scores.none, fields)),
        ]
    if scores.insufficient:
        rows.append(Row("Guideline, measured", scores.insufficient))
    elif scores.reading is not None:
        rows += guideline_rows(scores.reading)
    return [*rows, *_second_read_rows(scores.second_read)]


def guideline_rows(reading: GuidelineReading) -> list[Row]:
    """Say what the guideline makes of the measured shares, by which rule, and how far from its cut-offs."""
    distances = "; ".join(f"{cut}: {distance:+.1f} points" for cut, distance in reading.distances.items())
    secondary = reading.secondary.removeprefix("Secondary: ")
    return [
        Row("Guideline, measured", reading.rule),
        Row("From the cut-offs", distances),
        *([Row("Secondary", secondary)] if secondary else []),
        Row("Source", reading.source),
    ]


def nuclei_row(nuclei: Nuclei) -> Row:
    """Say how the nuclei were found, and where their size comes from."""
    size = f"{nuclei.mpp:.3g} µm per pixel" + (", estimated from their size" if nuclei.mpp_estimated else "")
    how = _METHODS.get(nuclei.method, nuclei.method.value)
    return Row("Nuclei found", f"{len(nuclei)} {how} ({size})")


def adjusted_rows(adjusted: Adjusted) -> tuple[Row, ...]:
    """Say what a person changed, and the figures that follow."""
    rows = [Row("Changed", changes(adjusted.adjustments))]
    if adjusted.nuclear is not None:
        rows += nuclear_rows(adjusted.nuclear)
    if adjusted.membrane is not None:
        rows += membrane_rows(adjusted.membrane)
    return tuple(rows)


def changes(adjustments: Adjustments) -> str:
    """Say in one line what adjustments change."""
    parts = []
    limits = adjustments.thresholds
    if limits != Thresholds():
        weak = "as detected" if limits.weak is None else f"from {limits.weak:.2f} OD"
        parts.append(f"weak {weak}, moderate from {limits.moderate:.2f}, strong from {limits.strong:.2f} OD")
    drawn = sum(not region.exclude for region in adjustments.regions)
    excluded = len(adjustments.regions) - drawn
    parts += [f"{drawn} region{'s' * (drawn != 1)} drawn"] if drawn else []
    parts += [f"{excluded} region{'s' * (excluded != 1)} excluded"] if excluded else []
    corrected = len(adjustments.corrections)
    parts += [f"{corrected} {'nucleus' if corrected == 1 else 'nuclei'} corrected"] if corrected else []
    return "; ".join(parts) or "nothing"


def quantification(result: Result, adjusted: Adjusted | None = None) -> dict[str, Any] | None:
    """Return everything measured about a result as plain data; None where nothing was measured.

    Beside the fields of `Measurements`: `nuclei` (how many were found, and how) and `adjusted` (a person's adjustments
    with the figures that follow), null where there are none.
    """
    measured = result.analysis.measurements
    if measured is None:
        return None
    nuclei = result.nuclei
    found = None
    if nuclei is not None:
        found = {
            "found": len(nuclei),
            "method": nuclei.method.value,
            "mpp": nuclei.mpp,
            "mpp_estimated": nuclei.mpp_estimated,
        }
    return {
        **asdict(measured),
        "nuclear": nuclear_fields(measured.nuclear),
        "nuclei": found,
        "adjusted": adjusted_fields(adjusted),
    }


def nuclear_fields(scores: NuclearScores | None) -> dict[str, Any] | None:
    """Return nuclear scores as plain data, with the Allred total."""
    return None if scores is None else {**asdict(scores), "allred": scores.allred}


def adjusted_fields(adjusted: Adjusted | None) -> dict[str, Any] | None:
    """Return adjustments and the figures that follow as plain data."""
    if adjusted is None:
        return None
    adjustments = asdict(adjusted.adjustments)
    # JSON knows no numbers as keys
    adjustments["corrections"] = {str(row): grade for row, grade in adjusted.adjustments.corrections.items()}
    membrane = None if adjusted.membrane is None else asdict(adjusted.membrane)
    return {
        "at": adjusted.at,
        "adjustments": adjustments,
        "nuclear": nuclear_fields(adjusted.nuclear),
        "membrane": membrane,
    }


def _counted(counted: int, left_out: int) -> str:
    return f"{counted}, {left_out} left out" if left_out else f"{counted}"


def _share(share: Interval, fields: int) -> str:
    return f"{share.value:.1f} %{_range(share, fields, '.1f', ' %')}"


def _range(figure: Interval, fields: int, digits: str, unit: str = "") -> str:
    """Write the interval behind a figure; one field has none."""
    if fields < 2:
        return " (one field only: no interval)"
    return f" (95 % interval {figure.low:{digits}}-{figure.high:{digits}}{unit}, {fields} fields)"


def _hot_spot_rows(scores: NuclearScores) -> list[Row]:
    spot = scores.hot_spot
    if spot is None:
        return []
    place = f"within {spot.radius:.0f} px of ({spot.x:.0f}, {spot.y:.0f})"
    return [Row("Hot spot", f"{spot.percent:.1f} % of {spot.counted} nuclei {place}")]


def _second_read_rows(reasons: tuple[str, ...]) -> list[Row]:
    return [Row("Second read", " ".join(reasons))] if reasons else []
