"""CSV that opens well in a spreadsheet and runs nothing there."""

import csv
import io
from collections.abc import Iterable, Sequence

BOM = "\ufeff"
"""Tells Excel that the file is UTF-8."""

_FORMULA_START = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the last four are their full-width forms


def to_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV text with a byte order mark; None becomes an empty cell.

    Text that a spreadsheet would take for a formula gets an apostrophe in front: a file name comes from outside.
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return BOM + stream.getvalue()


def _harmless(cell: str) -> str:
    """Neutralise a leading formula character; "1+" and a lone "-" are left as they are."""
    if cell.startswith(("\t", "\r", "\n")):
        return f"'{cell}"
    stripped = cell.lstrip()
    return f"'{cell}" if len(stripped) > 1 and stripped.startswith(_FORMULA_START) else cell
