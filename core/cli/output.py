"""What `analyze` prints and writes for each result."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import typer

from core.errors import InvalidOptionError, StorageError
from core.quantify.export import nuclei_csv, nuclei_geojson
from core.reports.answer import encode_json, to_json
from core.reports.bundle import to_zip
from core.reports.content import ReportContent, report_content
from core.reports.measured import cell_rows
from core.reports.pdf import to_pdf
from core.reports.tables import results_csv
from core.types import Analysis, Result


@dataclass(frozen=True)
class Files:
    """Files to be written for every image; None for those nobody asked for."""

    report: Path | None = None
    nuclei_csv: Path | None = None
    geojson: Path | None = None

    def check(self) -> None:
        """Check the places before any time is spent.

        Raises:
            InvalidOptionError: a name has another ending, or its folder does not exist.
        """
        for option, path, ending in (
            ("--report", self.report, ".pdf"),
            ("--nuclei-csv", self.nuclei_csv, ".csv"),
            ("--geojson", self.geojson, ".geojson"),
        ):
            if path is None:
                continue
            if path.suffix.lower() != ending:
                raise InvalidOptionError(f"{option} {path} must end in {ending}.")
            if not path.parent.is_dir():
                raise InvalidOptionError(f"{option}: the folder {path.parent} does not exist. Make it first.")


class Outputs:
    """Takes results one by one; files appear as soon as their image is done."""

    def __init__(self, *, as_json: bool, files: Files, folder: Path | None, several: bool) -> None:
        """Check the places before any time is spent.

        Raises:
            InvalidOptionError: a file has the wrong ending, or its folder does not exist.
        """
        files.check()
        self._as_json = as_json
        self._files = files
        self._folder = folder
        self._several = several
        self._used: set[str] = set()
        self._done: list[Analysis] = []

    def take(self, result: Result, original: bytes) -> None:
        """Print and write one result.

        Raises:
            StorageError: a file cannot be written.
        """
        stem = self._unused(Path(result.analysis.name).stem or "image")
        content = report_content(result)
        if self._as_json:
            typer.echo(encode_json(to_json(result, pictures=False)))
        else:
            typer.echo(_summary(content))
        try:
            self._write_files(result, content, stem)
            if self._folder is not None:
                with zipfile.ZipFile(io.BytesIO(to_zip(result, original))) as archive:
                    archive.extractall(self._folder / stem)
        except OSError as error:
            raise StorageError(
                f"The results cannot be written ({error.strerror}). Check the folder and disk."
            ) from error
        self._done.append(result.analysis)

    def _write_files(self, result: Result, content: ReportContent, stem: str) -> None:
        if self._files.report is not None:
            self._named(self._files.report, stem).write_bytes(to_pdf(content, result.pictures))
        if self._files.nuclei_csv is not None and result.nuclei is not None:
            self._named(self._files.nuclei_csv, stem).write_bytes(nuclei_csv(result.nuclei).encode())
        if self._files.geojson is not None and result.nuclei is not None:
            self._named(self._files.geojson, stem).write_bytes(nuclei_geojson(result.nuclei))
        if result.nuclei is None and (self._files.nuclei_csv or self._files.geojson):
            typer.echo(f"{result.analysis.name}: no nuclei were sought, so none are written.", err=True)

    def _named(self, path: Path, stem: str) -> Path:
        """Return the file of one image."""
        return path.with_stem(f"{path.stem}-{stem}") if self._several else path

    def finish(self) -> None:
        """Write the table of all results into the folder.

        Raises:
            StorageError: it cannot be written.
        """
        if self._folder is None or not self._done:
            return
        path = self._folder / "results.csv"
        try:
            path.write_text(results_csv(self._done), encoding="utf-8", newline="")
        except OSError as error:
            raise StorageError(f"{path} cannot be written ({error.strerror}).") from error

    def _unused(self, stem: str) -> str:
        """Return a name that no earlier image of this call has: two folders may hold a file of the same name."""
        name, number = stem, 2
        while name.lower() in self._used:
            name, number = f"{stem}-{number}", number + 1
        self._used.add(name.lower())
        return name


def _summary(content: ReportContent) -> str:
    details = ", ".join(part for part in (content.meaning, content.confidence, content.alternatives) if part)
    lines = [f"{content.name}: {content.answer_label} {content.answer} ({details})"]
    lines += [f"  warning: {content.banner}"] if content.banner else []
    lines += [f"  {notice.level}: {notice.message}" for notice in content.notices]
    lines += [f"  {row.label}: {row.value}" for row in cell_rows(content.analysis.measurements) if row.value]
    return "\n".join(lines)
