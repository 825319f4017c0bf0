"""What `analyze` prints and writes for each result."""

import io
import zipfile
from pathlib import Path

import typer

from core.errors import InvalidOptionError, StorageError
from core.reports.answer import encode_json, to_json
from core.reports.bundle import to_zip
from core.reports.content import ReportContent, report_content
from core.reports.pdf import to_pdf
from core.reports.tables import results_csv
from core.types import Analysis, Result


class Outputs:
    """Takes results one by one; files appear as soon as their image is done."""

    def __init__(self, *, as_json: bool, report: Path | None, folder: Path | None, several: bool) -> None:
        """Check the places before any time is spent.

        Raises:
            InvalidOptionError: the report is no .pdf, or its folder does not exist.
        """
        if report is not None and report.suffix.lower() != ".pdf":
            raise InvalidOptionError(f"--report {report} must end in .pdf.")
        if report is not None and not report.parent.is_dir():
            raise InvalidOptionError(f"--report: the folder {report.parent} does not exist. Make it first.")
        self._as_json = as_json
        self._report = report
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
            if self._report is not None:
                path = self._report.with_stem(f"{self._report.stem}-{stem}") if self._several else self._report
                path.write_bytes(to_pdf(content, result.pictures))
            if self._folder is not None:
                with zipfile.ZipFile(io.BytesIO(to_zip(result, original))) as archive:
                    archive.extractall(self._folder / stem)
        except OSError as error:
            raise StorageError(
                f"The results cannot be written ({error.strerror}). Check the folder and disk."
            ) from error
        self._done.append(result.analysis)

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
    return "\n".join(lines)
