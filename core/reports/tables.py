"""Results as CSV: one row a tile, or one row an image."""

from collections.abc import Sequence

from core.labels import CLASSES
from core.spreadsheet import to_csv
from core.types import Analysis


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
    header += ["image_sha256", "created"]
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
    ]


def _figure(value: float | str | None) -> object:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else value
