"""Filtered images as files: accepted and rejected apart, and a table of every measure and reason."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from core.errors import StorageError
from core.images import safe_name
from core.quality.filter import FilterSettings, Opinion, Verdict
from core.spreadsheet import to_csv
from core.types import Progress, no_progress

HEADER = (
    "file",
    "made_as",
    "accepted",
    "reason",
    "reasons",
    "sharpness",
    "brightness",
    "contrast",
    "read_as",
    "confidence",
    "second_read_as",
    "second_confidence",
    "distance_to_real",
    "copy_of_real",
)


@dataclass(frozen=True)
class Filtered:
    """One judged image on its way out.

    Attributes:
        name: of its file; two images may have the same.
        png: makes the file's content when it is needed, marked as synthetic or virtual where it is.
    """

    name: str
    verdict: Verdict
    png: Callable[[], bytes]


def filtered_csv(images: Sequence[Filtered]) -> str:
    """Return one row an image: where its file lies, all measures, and all reasons in words."""
    places = _places(images)
    return to_csv(HEADER, (_row(place, image.verdict) for place, image in zip(places, images, strict=True)))


def filtered_zip(images: Sequence[Filtered], settings: FilterSettings, *, progress: Progress = no_progress) -> bytes:
    """Pack accepted/, rejected/, filter.csv and the thresholds (settings.json).

    Raises:
        CancelledError: raised by `progress`.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
        for number, (place, image) in enumerate(zip(_places(images), images, strict=True)):
            progress("packing", number, len(images))
            archive.writestr(place, image.png())
        archive.writestr("filter.csv", filtered_csv(images), zipfile.ZIP_DEFLATED)
        archive.writestr("settings.json", _as_json(settings), zipfile.ZIP_DEFLATED)
    progress("packing", len(images), len(images))
    return packed.getvalue()


def write_filtered(
    images: Sequence[Filtered], settings: FilterSettings, folder: Path, *, progress: Progress = no_progress
) -> None:
    """Write the same as `filtered_zip` into a folder; the images keep the class folders of their names.

    Raises:
        StorageError: the folder holds files already, or the disk refuses.
        CancelledError: raised by `progress`.
    """
    check_free(folder)
    try:
        for number, (place, image) in enumerate(zip(_places(images), images, strict=True)):
            progress("writing", number, len(images))
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image.png())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "filter.csv").write_text(filtered_csv(images), encoding="utf-8", newline="")
        (folder / "settings.json").write_text(_as_json(settings), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"The images cannot be written to {folder} ({error.strerror}). Free some space.") from error
    progress("writing", len(images), len(images))


def check_free(folder: Path) -> None:
    """Refuse a folder that holds something already.

    Raises:
        StorageError: it does, or it is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(f"{folder} is not an empty folder. Name a new one, so that two filterings are not mixed.")


def _places(images: Sequence[Filtered]) -> Iterator[str]:
    """Where each file lies: "accepted/PR+/0012.png", twice the same name as "0012-2.png"."""
    used: set[str] = set()
    for image in images:
        label = safe_name(image.verdict.measures.label) if image.verdict.measures.label else ""
        top = PurePosixPath("accepted" if image.verdict.accepted else "rejected", label)
        name = PurePosixPath(safe_name(image.name))
        place, number = top / name, 2
        while str(place).lower() in used:
            place, number = top / f"{name.stem}-{number}{name.suffix}", number + 1
        used.add(str(place).lower())
        yield str(place)


def _row(place: str, verdict: Verdict) -> tuple[object, ...]:
    measures = verdict.measures
    return (
        place,
        measures.label,
        "yes" if verdict.accepted else "no",
        verdict.reasons[0].reason.value if verdict.reasons else "",
        verdict.words,
        round(measures.sharpness, 2),
        round(measures.brightness, 2),
        round(measures.contrast, 2),
        *_opinion(measures.opinion),
        *_opinion(measures.second),
        None if measures.distance is None else round(measures.distance, 4),
        None if measures.copy is None else ("yes" if measures.copy else "no"),
    )


def _opinion(opinion: Opinion | None) -> tuple[object, object]:
    return (None, None) if opinion is None else (opinion.label, round(opinion.confidence, 4))


def _as_json(settings: FilterSettings) -> str:
    return json.dumps(asdict(settings), indent=2) + "\n"
