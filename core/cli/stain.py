"""`python -m core stain IMAGE_OR_FOLDER --out FOLDER`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.terminal import ProgressLine, in_words
from core.errors import AppError, InvalidOptionError, StorageError, WrongStainError
from core.labels import Scale

if TYPE_CHECKING:
    from core.inference.engine import Engine
    from core.staining_export import Leaving
    from core.staining_sources import Source
    from core.types import Progress


def stain(
    images: Annotated[
        Path,
        typer.Argument(
            help="An H&E image, or a folder of them; folders HE and IHC in it hold pairs.", metavar="IMAGE_OR_FOLDER"
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for virtual_NAME.png and the manifest.", metavar="FOLDER")],
    scale: Annotated[Scale, typer.Option(help="Magnification, where the file does not say.")] = Scale.FILE,
    insist: Annotated[bool, typer.Option(help="Stain what does not look like H&E.")] = False,
) -> None:
    """Stain H&E virtually: not real staining. Ends with code 1 if any image failed; the others are still done."""
    waiting = ProgressLine("starting")
    waiting.update("loading the networks", 0, 1)
    # Imported here: torch alone takes longer than --help may.
    from core.cli.installation import installed_engine
    from core.staining_export import manifest_csv, manifest_json, virtual_name
    from core.staining_sources import gather_folder

    with in_words():
        sources = gather_folder(images).images
        _make(out)
        engine = installed_engine()
    waiting.clear()
    taken: set[str] = set()
    rows: list[Leaving] = []
    failed = 0

    for number, source in enumerate(sources, start=1):
        line = ProgressLine(f"{number} of {len(sources)}, {source.name}" if len(sources) > 1 else source.name)
        try:
            row = _one(source, out, engine, scale, insist, virtual_name(source.name, taken), line.update)
        except AppError as error:
            line.clear()
            hint = " Here: --insist." if isinstance(error, WrongStainError) else ""
            typer.echo(f"{source.name}: {error}{hint}", err=True)
            failed += 1
            continue
        line.clear()
        rows.append(row)
        typer.echo(_summary(row))
    with in_words():
        if rows:
            _write(out / "manifest.csv", manifest_csv(rows).encode())
            _write(out / "manifest.json", manifest_json(rows).encode())
    if failed:
        raise typer.Exit(1)


def _one(
    source: "Source", out: Path, engine: "Engine", scale: Scale, insist: bool, file: str, progress: "Progress"
) -> "Leaving":
    """Stain one image and write it."""
    from core.images import encode_png
    from core.png_text import with_text
    from core.staining import stain_upload
    from core.staining_export import leaving, marks

    real = None if source.real is None else (source.real.read(), source.real.name)
    made = stain_upload(
        source.read(), source.name, engine=engine, scale=scale, insist=insist, real=real, progress=progress
    )
    _write(out / file, with_text(encode_png(made.full_size), marks(made.weights, made.name)))
    return leaving(made, source.label, file)


def _summary(row: "Leaving") -> str:
    words = f"{row.source}: {row.file}, virtual, not real staining"
    if row.seams is not None:
        words += f"; seam index {row.seams:.2f}"
    if row.agreement is not None:
        words += f"; beside the real IHC: SSIM {row.agreement.virtual.ssim:.3f} (H&E {row.agreement.he.ssim:.3f})"
    return words


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidOptionError(f"--out {folder} cannot be made ({error.strerror}). Choose another folder.") from error


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}). Check the folder and disk.") from error
