"""`python -m core sample --class PR+ --count 16 --seed 1 --out FOLDER`"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.terminal import ProgressLine, in_words
from core.errors import InvalidOptionError, StorageError
from core.labels import CLASSES, Marker

if TYPE_CHECKING:
    from core.collections.stored import KeptImage
    from core.types import RGBImage

_MODELS = {Marker.PR: "medsyngan_g", Marker.HER2: "medsyngan_her2_g"}


def sample(
    label: Annotated[str, typer.Option("--class", help="PR-, PR+; or 0, 1+, 2+, 3+ with HER2 weights.")],
    out: Annotated[Path, typer.Option(help="Folder for the images and their manifest; made if needed.", metavar="DIR")],
    count: Annotated[int, typer.Option(help="Images, 1 to 10,000.")] = 16,
    seed: Annotated[int, typer.Option(help="Of the first image; the others have those that follow.")] = 0,
    truncation: Annotated[float, typer.Option(help="The noise is multiplied by it: above 0, at most 1.")] = 1.0,
    measure: Annotated[bool, typer.Option(help="Classify and measure every image, for the manifest.")] = True,
) -> None:
    """Sample synthetic images of a class. The same seed gives the same image; every file says that it is synthetic."""
    line = ProgressLine(f"{count} images")
    line.update("loading the networks", 0, 1)
    with in_words():
        model = _model(label)
        from core.cli.installation import installed_engine
        from core.inference.synthesis import check_wish, specs_of
        from core.models.registry import get_card
        from core.synthetic_images import iter_kept

        check_wish(count, seed, truncation, label, get_card(model).labels)
        specs = specs_of(label, count, seed, truncation)
        _write(iter_kept(installed_engine(), model, specs, measure=measure), out, count, line)
    line.clear()
    typer.echo(f"{count} synthetic images of {label}, seeds from {seed}, and manifest.csv are in {out}.")


def _model(label: str) -> str:
    for marker, model in _MODELS.items():
        if label in CLASSES[marker]:
            return model
    known = ", ".join(label for marker in _MODELS for label in CLASSES[marker])
    raise InvalidOptionError(f"--class {label[:40]}: the generators paint {known}.")


def _write(items: "Iterable[tuple[KeptImage, RGBImage]]", out: Path, count: int, line: ProgressLine) -> None:
    """Write every image as it is made, and the manifest of all at the end, or of those that were made."""
    from core.synthetic_export import manifest_csv, manifest_json
    from core.synthetic_images import name_of, to_png

    rows: list[tuple[str, KeptImage]] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        try:
            for kept, image in items:
                line.update("sampling", len(rows), count)
                (out / name_of(kept)).write_bytes(to_png(kept, image))
                rows.append((name_of(kept), kept))
        finally:
            if rows:
                (out / "manifest.csv").write_text(manifest_csv(rows), encoding="utf-8", newline="")
                (out / "manifest.json").write_text(manifest_json(rows), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The images cannot be written into {out} ({error.strerror}). {len(rows)} are there. Check the folder and "
            "the disk."
        ) from error
