"""The report as PDF: one or two A4 pages, sizes in millimetres."""

from core.reports.content import DISCLAIMER, OwnEntry, ReportContent, percent
from core.reports.pdf_figures import draw_figures
from core.reports.pdf_page import ACCENT, GRAY, INK, LEFT, PALE, TRACK, WIDTH, ReportPage
from core.reports.rows import Row
from core.types import Notice, Pictures

_LEVEL_COLOURS = {"error": (176, 32, 48), "warning": (180, 100, 0), "info": (70, 90, 120)}
_LEVEL_TINTS = {"error": (252, 235, 236), "warning": (255, 245, 226), "info": (238, 242, 248)}
_LABEL_WIDTH = 38.0
_WHOLE_SECTION = 60.0
"""Sections up to this height are kept on one page."""


def to_pdf(content: ReportContent, pictures: Pictures, *, colormap: str = "viridis", compress: bool = True) -> bytes:
    """Lay out a report.

    Args:
        colormap: for the DAB density map, one of `core.explain.pseudocolor.COLORMAPS`.
        compress: off leaves the page streams readable, for tests.
    Returns:
        PDF bytes; characters that no font here can draw appear as an empty box, the title keeps them.
    """
    page = ReportPage(title=f"{content.title}: {content.name}", footer=DISCLAIMER, compress=compress)
    _heading(page, content)
    if content.banner:
        _banner(page, content.banner)
    _answer(page, content)
    _notices(page, content.notices)
    _own_entry(page, content.own, content.agreement)
    draw_figures(page, content, pictures, colormap=colormap)
    _section(page, "Measured", content.measurements)
    _section(page, content.adjusted_label, content.adjusted)
    own = () if content.own else (Row("Own score", "none recorded by a pathologist"),)
    _section(page, "How it was scored", (Row("Rule", content.rule), Row("Stain", content.stain), *own))
    _section(page, "Provenance", content.provenance)
    return page.to_bytes()


def _heading(page: ReportPage, content: ReportContent) -> None:
    page.text(content.title, size=17, bold=True)
    page.text(content.created, size=8.5, colour=GRAY, align="R", at=(LEFT, page.y - 5.2), height=4)
    page.space(0.8)
    page.text(content.name, size=9, colour=GRAY, height=4.4)
    page.space(2)
    page.line()
    page.space(3)


def _banner(page: ReportPage, text: str) -> None:
    page.boxed(text, size=9.5, bold=True, colour=_LEVEL_COLOURS["warning"], fill=_LEVEL_TINTS["warning"])
    page.space(2)


def _answer(page: ReportPage, content: ReportContent) -> None:
    """Draw the answer on the left and the probabilities as bars on the right, at equal height."""
    top = page.y
    left_width = 78.0 if content.shares else WIDTH
    page.text(content.answer_label, size=9, colour=GRAY, width=left_width, height=4.5)
    size = 34 if len(content.answer) <= 4 else 20
    page.text(content.answer, size=size, bold=True, colour=ACCENT, width=left_width, height=size * 0.42)
    detail = ", ".join(part for part in (content.meaning, content.confidence) if part)
    page.text(detail, size=10, width=left_width, height=5)
    if content.alternatives:
        page.text(content.alternatives, size=10, width=left_width, height=5)
    bottom = page.y
    if content.shares:
        page.y = top
        _bars(page, content, left=LEFT + left_width + 4)
    page.y = max(bottom, page.y) + 3


def _bars(page: ReportPage, content: ReportContent, *, left: float) -> None:
    right = LEFT + WIDTH
    page.text("Probability", size=9, colour=GRAY, at=(left, page.y), width=60, height=4.5)
    page.space(0.8)
    for share in content.shares:
        chosen = share.label == content.answer
        track_left, track_width = left + 12, right - left - 30
        colour = ACCENT if chosen else GRAY
        y = page.y
        page.bar(track_left, y + 1.1, track_width, 3.4, TRACK)
        page.bar(track_left, y + 1.1, track_width * min(max(share.probability, 0), 1), 3.4, colour)
        page.text(share.label, size=9, bold=chosen, at=(left, y), width=12, height=5.6)
        page.text(percent(share.probability), size=9, bold=chosen, align="R", at=(right - 18, y), width=18, height=5.6)
    members = ", ".join(label for label in content.analysis.prediction_set)
    if members:
        page.text(f"Prediction set: {members}", size=8.5, colour=INK, at=(left, page.y + 0.6), width=right - left)


def _notices(page: ReportPage, notices: tuple[Notice, ...]) -> None:
    for notice in notices:
        level = notice.level if notice.level in _LEVEL_COLOURS else "warning"
        text = f"{level.capitalize()}: {notice.message}"
        page.boxed(text, size=8.5, colour=_LEVEL_COLOURS[level], fill=_LEVEL_TINTS[level])
        page.space(1.2)


def _own_entry(page: ReportPage, own: OwnEntry | None, agreement: str) -> None:
    if own is None:
        return
    score = f"{own.score}, {agreement}" if own.score else "no score recorded"
    by = ", ".join(part for part in (own.author, own.recorded) if part)
    text = f"Pathologist's own score: {score}" + (f" ({by})" if by else "")
    comment = own.comment.strip()
    page.boxed(text + (f"\nComment: {comment}" if comment else ""), size=9, colour=INK, fill=PALE)
    page.space(1.2)


def _section(page: ReportPage, title: str, rows: tuple[Row, ...]) -> None:
    shown = [row for row in rows if row.value]
    if not shown:
        return
    page.need(min(10 + 5 * len(shown), _WHOLE_SECTION))
    page.space(3)
    page.text(title, size=10.5, bold=True, colour=ACCENT, height=5)
    page.space(0.6)
    for row in shown:
        page.row(row.label, row.value, label_width=_LABEL_WIDTH)
