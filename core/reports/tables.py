"""Results as CSV: one row a tile, or one row an image."""

from collections.abc import Sequence

from core.labels import CLASSES
from core.spreadsheet import to_csv
from core.types import Analysis, Measurements

_CELL_COLUMNS = (
    "cells_counted",
    "positive_low",
    "positive_high",
    "intense_complete_percent",
    "moderate_complete_percent",
    "faint_incomplete_percent",
    "guideline",
    "second_read",
)


def tiles_csv(analysis: Analysis) -> str:
    """Write one row a tile; positions and sizes in pixels of the upload."""
    classes = CLASSES[analysis.marker]
    header = ["x", "y", "width", "height", "class", "confidence", "tissue_fraction", *(f"p({c})" for c in classes)]
    rows = (
        [
            tile.x,
            tile.y,
            tile.width,
            tile.height,
            tile.label,
            f"{tile.confidence:.4f}",
            f"{tile.tissue_fraction:.4f}",
            *(f"{probability:.4f}" for probability in tile.probabilities),
        ]
        for tile in analysis.tiles
    )
    return to_csv(header, rows)


def results_csv(analyses: Sequence[Analysis]) -> str:
    """Write one row an image, for many images analysed together."""
    header = ["file", "marker", "outcome", "confidence", "prediction_set", "stain", "stain_source", "tiles"]
    header += ["dab_area_percent", "positive_nuclei_percent", "allred", "h_score", "rule_label", "warnings"]
    header += ["image_sha256", "created", *_CELL_COLUMNS]
    return to_csv(header, (_image_row(analysis) for analysis in analyses))


def _image_row(analysis: Analysis) -> list[object]:
    measured = analysis.measurements
    figures = ("dab_area_percent", "positive_nuclei_percent", "allred", "h_score", "rule_label")
    return [
        analysis.name,
        analysis.marker.value,
        analysis.outcome,
        "" if analysis.confidence is None else f"{analysis.confidence:.4f}",
        "; ".join(analysis.prediction_set),
        analysis.stain.stain.value,
        analysis.stain_source.value,
        len(analysis.tiles),
        *(_figure(getattr(measured, name, None)) for name in figures),
        "; ".join(notice.code for notice in analysis.notices),
        analysis.provenance.image_sha256,
        analysis.provenance.created,
        *_cell_figures(measured),
    ]


def _cell_figures(measured: Measurements | None) -> list[object]:
    """Intervals of the nuclear scores, shares of the membrane patterns and what the guideline makes of them."""
    nuclear = measured.nuclear if measured else None
    membrane = measured.membrane if measured else None
    positive = nuclear.percent_positive if nuclear else None
    figures: list[float | str | None] = [nuclear.counted if nuclear else membrane.cells if membrane else None]
    figures += [positive.low, positive.high] if positive else [None, None]
    patterns = ("intense_complete", "moderate_complete", "faint_incomplete")
    figures += [getattr(membrane, name).value if membrane else None for name in patterns]
    reading = membrane.reading if membrane else None
    score = reading.score.value if reading and reading.score else "not defined" if reading else None
    reasons = (*(nuclear.second_read if nuclear else ()), *(membrane.second_read if membrane else ()))
    return [*(_figure(figure) for figure in figures), _figure(score), " ".join(reasons)]


def _figure(value: float | str | None) -> object:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else value
