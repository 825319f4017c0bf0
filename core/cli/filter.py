"""`python -m core filter FOLDER --out FOLDER`"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.terminal import ProgressLine, in_words
from core.errors import InvalidDataError
from core.labels import CLASSES, Marker

if TYPE_CHECKING:
    from core.inference.engine import Engine
    from core.quality.filter_measures import Measures
    from core.training.data import DataSet, Item
    from core.types import RGBImage

_MARKERS = {"ihcnet": Marker.HER2, "simple_cnn": Marker.PR}

CHUNK = 64
"""Images that are held at once."""


def filter_images(
    folder: Annotated[Path, typer.Argument(help="Images in class folders (PR+, PR-, 0 ... 3+).", metavar="FOLDER")],
    out: Annotated[Path, typer.Option(help="New folder for accepted/, rejected/ and the table.", metavar="FOLDER")],
    sharpness: Annotated[float, typer.Option(help="Least variance of the Laplacian; 0: not checked.")] = 8.0,
    darkest: Annotated[float, typer.Option(help="Least mean gray level; 0: not checked.")] = 60.0,
    brightest: Annotated[float, typer.Option(help="Largest mean gray level; 255: not checked.")] = 248.0,
    contrast: Annotated[float, typer.Option(help="Least standard deviation of gray; 0: not checked.")] = 3.0,
    confidence: Annotated[float, typer.Option(help="Least probability of the class read; 0: not checked.")] = 0.55,
    same_class: Annotated[bool, typer.Option(help="The classifier has to read the class of the folder.")] = True,
    network: Annotated[bool, typer.Option(help="Ask the classifier at all.")] = True,
    second: Annotated[
        Path | None, typer.Option(help="Weights of a second classifier that has to agree.", metavar="FILE")
    ] = None,
) -> None:
    """Keep the images that are fit to be trained on, and say why the others are not."""
    line = ProgressLine(folder.name)
    line.update("starting", 0, 1)
    # Imported here: torch alone takes longer than --help may.
    from core.quality.filter import FilterSettings, judge, tally
    from core.quality.filter_export import Filtered, check_free, write_filtered

    with in_words():
        settings = FilterSettings(
            sharpness=sharpness or None,
            darkest=darkest or None,
            brightest=None if brightest >= 255 else brightest,
            contrast=contrast or None,
            confidence=confidence or None,
            same_class=same_class,
            second_model=second is not None,
        )
        check_free(out)
        data = _opened(folder)
        judged = [
            (item, judge(measures, settings))
            for item, measures in _measured(data, line, network=network, second=second)
        ]
        files = [Filtered(item.path.name, verdict, item.path.read_bytes) for item, verdict in judged]
        write_filtered(files, settings, out, progress=line.update)
    line.clear()
    counted = tally(verdict for _, verdict in judged)
    typer.echo(f"{counted.accepted} of {counted.total} accepted ({counted.share:.1%}); written to {out}")
    for reason, count in counted.first.items():
        if count or counted.every[reason]:
            typer.echo(f"  {reason.value}: {count} first, {counted.every[reason]} in all")


def _opened(folder: Path) -> "DataSet":
    from core.training.data import Kind, open_data

    data = open_data(folder)
    if data.kind is Kind.PAIRS:
        raise InvalidDataError(
            f"{folder} holds pairs of H&E and IHC, which have no classes to filter by. Name its folder IHC."
        )
    return data


def _measured(
    data: "DataSet", line: ProgressLine, *, network: bool, second: Path | None
) -> "Iterator[tuple[Item, Measures]]":
    """Read, measure and classify a few images at a time; the unreadable ones are named and left out."""
    from core.inference.filtering import classify_images
    from core.quality.filter_measures import measure_images
    from core.training.data.reading import Reader, read_image

    name, engines = _judges(data, network=network, second=second)
    classes = CLASSES[_MARKERS[name]] if name else ()
    reader = Reader(data.root, lambda item: read_image(item.path).image, step="filtering", progress=line.update)
    results = reader.results(data.items)
    while chunk := list(islice(results, CHUNK)):
        images: list[RGBImage] = [image for _, image in chunk]
        labels = [data.items[index].label for index, _ in chunk]
        probs = [None if engine is None else classify_images(engine, name, images) for engine in engines]
        measured = measure_images(images, labels=labels, probs=probs[0], second=probs[1], classes=classes)
        yield from zip((data.items[index] for index, _ in chunk), measured, strict=True)
    for each in reader.unreadable:
        line.clear()
        typer.echo(f"left out: {each.reason}", err=True)


def _judges(data: "DataSet", *, network: bool, second: Path | None) -> "tuple[str, list[Engine | None]]":
    """The classifier of these classes, with the active weights and with the second ones."""
    if not network and second is None:
        return "", [None, None]
    name = next((name for name, marker in _MARKERS.items() if set(data.classes) <= set(CLASSES[marker])), "")
    if not name:
        raise InvalidDataError(
            f"No classifier knows the classes {', '.join(data.classes)}; there is one for 0, 1+, 2+, 3+ and one for "
            "PR-, PR+. Rename the folders, or filter without it (--no-network)."
        )
    from core.cli.installation import installed_engine
    from core.inference.filtering import with_weights

    return name, [installed_engine() if network else None, with_weights(name, second) if second else None]
