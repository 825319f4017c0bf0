"""The pictures of a PDF report: a grid that uses the room there is, each with its caption and colour bar."""

from collections.abc import Sequence

import numpy as np

from core.explain.overlay import RGB
from core.explain.pseudocolor import render_density
from core.reports.content import ReportContent
from core.reports.pdf_page import GRAY, INK, LEFT, PRINT_DPI, WIDTH, ReportPage
from core.reports.pictures import ColorScale, Figure, figures, shrink
from core.types import Pictures

_GAP = 5.0
_CAPTION = 4.6
_BAR = 2.4
_LEGEND = _BAR + 5.2
"""Height below a picture for its colour bar and the numbers under it."""
_LETTER = 1.5
"""Width of a letter of a legend."""
_MIN_HEIGHT = 48.0
_MIN_SCALE_WIDTH = 50.0


def draw_figures(page: ReportPage, content: ReportContent, pictures: Pictures, *, colormap: str) -> None:
    """Place the pictures in two columns (three for an odd number), as large as the page allows."""
    layers = (content.heatmap_layer,) if content.heatmap_layer else ()
    widest_px = round(WIDTH / 2 / 25.4 * PRINT_DPI)
    shown = list(
        figures(
            shrink(pictures, widest_px),
            content.analysis,
            layers=layers,
            colormap=colormap,
            nuclei=content.nuclei,
            adjustments=content.adjustments,
        )
    )
    columns = 2 if len(shown) in (1, 2, 4) else 3
    rows = [shown[start : start + columns] for start in range(0, len(shown), columns)]
    cell_width = (WIDTH - (columns - 1) * _GAP) / columns
    height_px, width_px = pictures.image.shape[:2]
    around = _CAPTION + _LEGEND
    page.space(2)
    wanted = cell_width * height_px / width_px
    fitting = (page.room() - 1) / len(rows) - around
    if fitting < min(_MIN_HEIGHT, wanted):
        page.need(page.room() + 1)
        fitting = (page.room() - 1) / len(rows) - around
    height = min(wanted, fitting)
    for row in rows:
        _draw_row(page, row, cell_width=cell_width, size=(height * width_px / height_px, height))


def _draw_row(
    page: ReportPage,
    row: Sequence[Figure],
    *,
    cell_width: float,
    size: tuple[float, float],
) -> None:
    top = page.y
    width, height = size
    for column, figure in enumerate(row):
        x = LEFT + column * (cell_width + _GAP)
        page.text(figure.title, size=7.5, bold=True, colour=INK, at=(x, top), width=cell_width, height=_CAPTION)
        page.picture(figure.image, x, top + _CAPTION, width, height)
        below = top + _CAPTION + height + 1
        if figure.scale is not None:
            _draw_scale(page, figure.scale, x, below, max(width, min(cell_width, _MIN_SCALE_WIDTH)))
        else:
            _draw_legend(page, figure.legend, x, below)
    page.y = top + _CAPTION + height + _LEGEND


def _draw_scale(page: ReportPage, scale: ColorScale, x: float, y: float, width: float) -> None:
    """Draw a colour bar with its ends and meaning in type, which stays sharp at any zoom."""
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None]
    page.picture(render_density(ramp, scale.colormap, 1.0), x, y, width, _BAR)
    below = y + _BAR + 0.6
    page.text(f"{scale.low:g}", size=6.5, colour=GRAY, at=(x, below), width=10, height=3)
    page.text(scale.label, size=6.5, colour=GRAY, align="C", at=(x + 6, below), width=width - 12, height=3)
    page.text(f"{scale.high:g}", size=6.5, colour=GRAY, align="R", at=(x + width - 10, below), width=10, height=3)


def _draw_legend(page: ReportPage, legend: Sequence[tuple[str, RGB]], x: float, y: float) -> None:
    """Say which colour stands for which class."""
    for label, colour in legend:
        width = max(9.0, 1 + len(label) * _LETTER)
        page.bar(x, y, _BAR, _BAR, colour)
        page.text(label, size=6.5, colour=GRAY, at=(x + _BAR + 1, y - 0.2), width=width, height=3)
        x += width + _BAR + 0.6
