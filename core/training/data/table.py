"""Data sets that are a table: a CSV file with the columns path, label, and perhaps case and split."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PureWindowsPath

from core.errors import InvalidDataError
from core.training.data.folders import classes_data, unwrap
from core.training.data.items import DataSet, Subset
from core.training.data.naming import SUBSET_NAMES, is_image, list_folder, read_name

COLUMNS = {
    "path": ("path", "file", "filename", "image"),
    "label": ("label", "class", "score"),
    "case": ("case", "case_id", "patient", "slide"),
    "split": ("split", "subset"),
}
"""Names under which a column is known, best first; capitals do not matter."""

DELIMITERS = (",", ";", "\t")
MAX_MISSING = 0.2
"""Share of listed files that may be absent; more is a wrong folder."""

NAMED = 5
MAX_BYTES = 200_000_000

Row = tuple[Path, str, str | None, Subset | None]


def find_table(folder: Path) -> Path | None:
    """Return the one CSV file of a folder if it lists images; None where the folder speaks for itself.

    Raises:
        InvalidDataError: the file lists images without their classes.
    """
    base = unwrap(folder)
    folders, files = list_folder(base)
    tables = [path for path in files if path.suffix.lower() == ".csv"]
    if len(tables) != 1:
        return None
    columns = _columns(_read_text(tables[0])[0])
    return tables[0] if "path" in columns or not (folders or any(is_image(path) for path in files)) else None


def open_table(table: Path) -> DataSet:
    """Read a CSV file; its paths are relative to its folder.

    Raises:
        InvalidDataError: columns or files are missing, or a value makes no sense; the line is named.
    """
    text, notes = _read_text(table)
    columns = _columns(text)
    for needed in ("path", "label"):
        if needed not in columns:
            raise InvalidDataError(
                f"{table.name} has no column {needed}; its first line is {_first_line(text)!r}. The columns path and "
                "label are needed, case and split may follow. Add the column, then open the table again."
            )
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        lines = [
            (reader.line_num, {key: (line.get(name) or "").strip() for key, name in columns.items()}) for line in reader
        ]
    except csv.Error as error:
        raise InvalidDataError(
            f"{table.name} is damaged at line {reader.line_num} ({error}). Save it again."
        ) from error
    rows = _rows(table, lines, notes)
    return classes_data(table.parent, _present(table, rows, notes), notes)


def _rows(table: Path, lines: Iterable[tuple[int, Mapping[str, str]]], notes: list[str]) -> list[Row]:
    rows: dict[Path, Row] = {}
    incomplete, repeated = 0, 0
    for number, line in lines:
        if not line["path"] or not line["label"]:
            incomplete += any(line.values())
            continue
        path = _inside(table, line["path"], number)
        case, subset = line.get("case") or read_name(path.stem).case, _subset(table, line.get("split", ""), number)
        row = (path, line["label"], case, subset)
        repeated += path in rows
        if rows.setdefault(path, row)[1] != row[1]:
            raise InvalidDataError(
                f"{table.name} names {line['path']} twice, as {rows[path][1]} and as {row[1]} (line {number}). "
                "Keep the line that is right."
            )
    if incomplete:
        notes.append(f"{incomplete} lines of {table.name} lack a path or a label and were left out.")
    if repeated:
        notes.append(f"{repeated} lines of {table.name} repeat an image and were left out.")
    return list(rows.values())


def _inside(table: Path, written: str, number: int) -> Path:
    """The file that a line names, which has to lie in the table's folder or below."""
    folder = os.path.abspath(table.parent)  # noqa: PTH100 - `resolve` would follow links
    place = written.replace("\\", "/")
    path = os.path.normpath(os.path.join(folder, place))  # noqa: PTH118 - normalised as text, before any disk is asked
    foreign = PureWindowsPath(written).drive or "\0" in written
    if foreign or os.path.commonpath([folder, path]) != folder:
        raise InvalidDataError(
            f"Line {number} of {table.name} names {written!r}, which lies outside of the table's folder. Use paths "
            "relative to the folder of the CSV file, such as images/0001.png."
        )
    return table.parent / os.path.relpath(path, folder)


def _subset(table: Path, written: str, number: int) -> Subset | None:
    if not written:
        return None
    if written.lower() not in SUBSET_NAMES:
        raise InvalidDataError(
            f"Line {number} of {table.name} has the split {written!r}; train, val, test or nothing is expected."
        )
    return SUBSET_NAMES[written.lower()]


def _present(table: Path, rows: list[Row], notes: list[str]) -> list[Row]:
    missing = [row for row in rows if not row[0].is_file()]
    names = ", ".join(str(row[0].relative_to(table.parent)) for row in missing[:NAMED])
    names += f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    if rows and len(missing) > MAX_MISSING * len(rows):
        raise InvalidDataError(
            f"{len(missing)} of the {len(rows)} files that {table.name} lists do not exist: {names}. Paths are "
            "relative to the folder of the CSV file; put the images there or correct the paths."
        )
    if missing:
        notes.append(f"{len(missing)} of {len(rows)} listed files do not exist and were left out: {names}.")
        return [row for row in rows if row[0].is_file()]
    return rows


def _read_text(table: Path) -> tuple[str, list[str]]:
    """Decode a table: UTF-8, or what spreadsheets write otherwise, with a note."""
    try:
        if table.stat().st_size > MAX_BYTES:
            raise InvalidDataError(f"{table.name} has more than {MAX_BYTES // 10**6} MB; that is no list of images.")
        data = table.read_bytes()
    except OSError as error:
        raise InvalidDataError(f"{table} cannot be read ({error.strerror}). Check that it is still there.") from error
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), [f"{table.name} is not UTF-8 and was read as Windows-1252."]


def _columns(text: str) -> dict[str, str]:
    """Columns that are known -> how the table writes them."""
    line = _first_line(text)
    written = next(csv.reader([line], delimiter=_delimiter(text)), [])
    by_name = {name.strip().lower(): name for name in written}
    found = {key: [by_name[name] for name in names if name in by_name] for key, names in COLUMNS.items()}
    return {key: names[0] for key, names in found.items() if names}


def _delimiter(text: str) -> str:
    line = _first_line(text)
    return max(DELIMITERS, key=line.count)


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0].rstrip("\r")[:200]
