"""A4 pages in the house's type and colours: the few drawing steps that a report is made of, in millimetres."""

from typing import Literal

import cv2
import numpy as np
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from core.images import resize_to_fit
from core.reports.fonts import find_font
from core.types import RGBImage

Colour = tuple[int, int, int]

INK: Colour = (30, 36, 44)
GRAY: Colour = (104, 112, 122)
ACCENT: Colour = (21, 92, 132)
TRACK: Colour = (228, 232, 236)
PALE: Colour = (240, 245, 248)

LEFT = 16.0
WIDTH = 178.0
TOP = 14.0
BOTTOM = 18.0
"""Height kept free for the footer."""

PRINT_DPI = 200

_FAMILY = "report"
_JPEG_QUALITY = 84
_LINE = 0.46  # mm of line height per point of type
_PADDING = (1.4, 2.5)  # of a box: above and below, left and right
_NO_GLYPH = "□"


class _Sheet(FPDF):  # type: ignore[misc]  # fpdf2 is not followed by mypy
    """An FPDF document whose pages close with the disclaimer and their number."""

    family = "helvetica"
    footer_text = ""

    def footer(self) -> None:
        self.set_y(-13)
        self.set_font(self.family, "", 8)
        self.set_text_color(*GRAY)
        self.cell(WIDTH / 2, 5, self.footer_text)
        # The text is aligned while the number of pages is still a wider placeholder.
        wider = self.get_string_width("{nb}") - self.get_string_width("2")
        self.cell(WIDTH / 2 + wider, 5, f"IHC Workbench, page {self.page_no()} of {{nb}}", align="R")


class ReportPage:
    """Pages that are filled from the top; `y` is where the next thing goes."""

    def __init__(self, *, title: str, footer: str, compress: bool = True) -> None:
        self._sheet = _Sheet(format="A4", unit="mm")
        self._sheet.footer_text = footer
        self._sheet.set_compression(compress)
        self._sheet.set_margins(LEFT, TOP, 210 - LEFT - WIDTH)
        self._sheet.c_margin = 0  # type and pictures begin at the same edge
        self._sheet.set_auto_page_break(auto=True, margin=BOTTOM)
        self._sheet.set_title(title)
        self._sheet.set_creator("IHC Workbench")
        self._known = self._load_font()
        self._sheet.add_page()

    def _load_font(self) -> frozenset[int] | None:
        """Register the Unicode font and return the characters it has; None stands for Latin-1."""
        files = find_font()
        if files is None:
            return None
        self._sheet.add_font(_FAMILY, "", files.regular)
        self._sheet.add_font(_FAMILY, "B", files.bold)
        self._sheet.family = _FAMILY
        return frozenset(self._sheet.fonts[_FAMILY].cmap) & frozenset(self._sheet.fonts[f"{_FAMILY}B"].cmap)

    @property
    def y(self) -> float:
        """Where the next thing goes, from the top of the page."""
        return float(self._sheet.get_y())

    @y.setter
    def y(self, value: float) -> None:
        self._sheet.set_y(value)

    def drawable(self, text: str) -> str:
        """Replace what the font has no glyph for, so that nothing disappears silently."""
        kept = "".join(character for character in text if character == "\n" or character.isprintable())
        if self._known is None:
            return kept.encode("latin-1", "replace").decode("latin-1")
        known = self._known
        return "".join(character if character == "\n" or ord(character) in known else _NO_GLYPH for character in kept)

    def text(
        self,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: Colour = INK,
        align: Literal["L", "R", "C"] = "L",
        at: tuple[float, float] | None = None,
        width: float = WIDTH,
        height: float | None = None,
    ) -> None:
        """Write wrapped text at `at` (x, y), or at the left below what is there; `y` moves below it."""
        self._set_type(size, bold=bold, colour=colour)
        self._sheet.set_xy(*(at or (LEFT, self.y)))
        line = height or size * _LINE
        self._sheet.multi_cell(width, line, self.drawable(text), align=align, new_x=XPos.LEFT, new_y=YPos.NEXT)

    def boxed(self, text: str, *, size: float, colour: Colour, fill: Colour, bold: bool = False) -> None:
        """Write wrapped text on a tinted box of full width; a box moves to the next page rather than break."""
        inner = WIDTH - 2 * _PADDING[1]
        shown = self.drawable(text)
        self._set_type(size, bold=bold, colour=colour)
        lines = self._sheet.multi_cell(
            inner, size * _LINE, shown, align="L", dry_run=True, output=MethodReturnValue.LINES
        )
        self.need(min(len(lines) * size * _LINE + 2 * _PADDING[0], self._sheet.h - TOP - BOTTOM))
        self._set_type(size, bold=bold, colour=colour)  # a new page has set the footer's
        self._sheet.set_fill_color(*fill)
        self._sheet.set_x(LEFT)
        self._sheet.multi_cell(
            WIDTH, size * _LINE, shown, align="L", fill=True, padding=_PADDING, new_x=XPos.LEFT, new_y=YPos.NEXT
        )

    def _set_type(self, size: float, *, bold: bool, colour: Colour) -> None:
        self._sheet.set_font(self._sheet.family, "B" if bold else "", size)
        self._sheet.set_text_color(*colour)

    def row(self, label: str, value: str, *, label_width: float) -> None:
        """Write one line of a table: gray label, value beside it."""
        self.need(9)
        top = self.y
        self.text(label, size=8.5, colour=GRAY, at=(LEFT, top), width=label_width, height=4.4)
        below_label = self.y
        self.text(value, size=8.5, at=(LEFT + label_width, top), width=WIDTH - label_width, height=4.4)
        if top < self.y < below_label:  # a smaller y means that the value went on to a new page
            self.y = below_label

    def bar(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self._sheet.set_fill_color(*colour)
        if width > 0:
            self._sheet.rect(x, y, width, height, style="F")

    def line(self) -> None:
        """Draw a thin rule over the full width."""
        self.bar(LEFT, self.y, WIDTH, 0.25, TRACK)

    def space(self, height: float) -> None:
        """Leave a gap."""
        self.y += height

    def room(self) -> float:
        """Return the height left on this page."""
        return float(self._sheet.h) - BOTTOM - self.y

    def need(self, height: float) -> None:
        """Start a new page unless `height` still fits on this one."""
        if self.room() < height:
            self._sheet.add_page()

    def picture(self, image: RGBImage, x: float, y: float, width: float, height: float) -> None:
        """Place (H, W, 3) uint8 RGB with its left top corner at (x, y), as JPEG of at most `PRINT_DPI`."""
        image = resize_to_fit(image, max(round(max(width, height) / 25.4 * PRINT_DPI), 1))
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1]
        self._sheet.image(np.asarray(jpeg).tobytes(), x=x, y=y, w=width, h=height)

    def to_bytes(self) -> bytes:
        """Finish the document."""
        return bytes(self._sheet.output())
