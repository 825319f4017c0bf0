"""`python -m core analyze IMAGE...`"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.terminal import ProgressLine, in_words
from core.errors import AppError, InvalidImageError, InvalidOptionError
from core.labels import Marker, NucleiMethod, Scale, StainChoice

if TYPE_CHECKING:
    from core.types import Options, Progress, Result

TOKEN_VARIABLE = "WORKBENCH_TOKEN"  # noqa: S105  # the name of a variable, no secret

_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".svs")

Scorer = Callable[[bytes, str, "Options", "Progress"], "Result"]


def analyze(
    images: Annotated[
        list[Path], typer.Argument(help="Image files (PNG, JPEG, TIFF, WebP), or folders of them.", metavar="IMAGE...")
    ],
    marker: Annotated[Marker, typer.Option(help="Protein whose stain is read.")] = Marker.HER2,
    stain: Annotated[StainChoice, typer.Option(help="Recognise the stain, or say which it is.")] = StainChoice.AUTO,
    scale: Annotated[Scale, typer.Option(help="Magnification, where the file does not say.")] = Scale.FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, without pictures.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the PDF report; several images get OUT-NAME.pdf.", metavar="OUT.pdf")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write pictures, report and data into one folder an image.", metavar="DIR")
    ] = None,
    nuclei: Annotated[
        NucleiMethod, typer.Option(help="Find nuclei with the bundled network, by image processing, or not at all.")
    ] = NucleiMethod.LEARNED,
    nuclei_csv: Annotated[
        Path | None,
        typer.Option(help="Write the nuclei as a table; several: OUT-NAME.csv.", metavar="OUT.csv"),
    ] = None,
    geojson: Annotated[
        Path | None,
        typer.Option(help="Write the nuclei for QuPath; several: OUT-NAME.geojson.", metavar="OUT.geojson"),
    ] = None,
    insist: Annotated[bool, typer.Option(help="Score what looks like neither H&E nor IHC.")] = False,
    remote: Annotated[
        str, typer.Option(help=f"Compute on another workbench; its token in {TOKEN_VARIABLE}.", metavar="URL")
    ] = "",
) -> None:
    """Score images and explain the scores. Ends with code 1 if any image failed; the others are still done."""
    waiting = ProgressLine("starting")
    waiting.update("loading the networks", 0, 1)
    # Imported here: torch alone takes longer than --help may.
    from core.cli.output import Files, Outputs
    from core.types import Options

    explain = bool(report or out)
    options = Options(marker=marker, stain=stain, scale=scale, insist=insist, explain=explain, nuclei=nuclei)
    with in_words():
        paths = _expanded(images)
        files = Files(report=report, nuclei_csv=nuclei_csv, geojson=geojson)
        outputs = Outputs(as_json=as_json, files=files, folder=out, several=len(paths) > 1)
        scorer = _remote_scorer(remote) if remote else _local_scorer()
    waiting.clear()
    failed = 0
    for number, path in enumerate(paths, start=1):
        line = ProgressLine(f"{number} of {len(paths)}, {path.name}" if len(paths) > 1 else path.name)
        try:
            data = _read(path)
            result = scorer(data, path.name, options, line.update)
            line.clear()
            outputs.take(result, data)
        except AppError as error:
            line.clear()
            typer.echo(f"{path.name}: {error}", err=True)
            failed += 1
    with in_words():
        outputs.finish()
    if failed:
        raise typer.Exit(1)


def _expanded(images: list[Path]) -> list[Path]:
    """Put the image files of a folder in its place, by name."""
    paths: list[Path] = []
    for path in images:
        paths += sorted(p for p in path.iterdir() if p.suffix.lower() in _SUFFIXES) if path.is_dir() else [path]
    if not paths:
        raise InvalidOptionError(f"{', '.join(map(str, images))}: no image files in it ({', '.join(_SUFFIXES)}).")
    return paths


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidImageError(f"The file cannot be read ({reason}). Check the path {path}.") from error


def _local_scorer() -> Scorer:
    from core.analysis import analyze as score
    from core.cli.installation import installed_engine

    engine = installed_engine()
    return lambda data, name, options, progress: score(data, name, options, engine=engine, progress=progress)


def _remote_scorer(url: str) -> Scorer:
    from core.remote import RemoteWorkbench

    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise InvalidOptionError(f"The other workbench asks for a token: put it into the variable {TOKEN_VARIABLE}.")
    return RemoteWorkbench(url, token).analyze
