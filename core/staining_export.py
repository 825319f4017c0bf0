"""How a virtual stain leaves the workbench: marked as virtual in its file name and in its metadata, always."""

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath

from core import __version__
from core.inference.virtual_staining import GENERATOR
from core.labels import StainSource
from core.quality.stain_agreement import Judgement
from core.reports.answer import VIRTUAL_TEXT
from core.spreadsheet import to_csv
from core.staining import Agreement, VirtualStain

PREFIX = "virtual_"
SET_NOTE = "Virtual IHC computed from H&E: not real staining. It may train a network, but says nothing about a patient."
README = (
    "Virtual IHC computed from H&E by a generator: not real staining, not for diagnosis. Research use only.\n"
    "manifest.csv and manifest.json name for every file the H&E it was made from, its class, the generator's weights,\n"
    "the seam index, and how far it is from the real IHC where one was given.\n"
)


@dataclass(frozen=True)
class Leaving:
    """One virtual stain as a manifest names it.

    Attributes:
        file: its name, marked as virtual.
        source: file name of the H&E.
        label: class of the H&E; "" where unknown.
        stain: what the upload was recognised as.
        seams: None for a single tile.
        weights: SHA-256 of the generator's.
    """

    file: str
    source: str
    label: str
    size: tuple[int, int]
    stain: str
    seams: float | None
    agreement: Agreement | None
    weights: str


def leaving(stained: VirtualStain, label: str, file: str) -> Leaving:
    """Return what a manifest says about a virtual stain."""
    return Leaving(
        file,
        stained.name,
        label,
        stained.size,
        stained.stain.stain.title,
        stained.seams,
        stained.agreement,
        stained.weights,
    )


def virtual_name(source: str, taken: set[str] | None = None) -> str:
    """Return the file name of the virtual stain of an H&E file, which no earlier one has.

    Args:
        taken: names in lower case that are used already; the new one is added.
    """
    stem = PurePath(source).stem.removeprefix(PREFIX) or "image"
    name, number = f"{PREFIX}{stem}.png", 2
    while taken is not None and name.lower() in taken:
        name, number = f"{PREFIX}{stem}-{number}.png", number + 1
    if taken is not None:
        taken.add(name.lower())
    return name


def marks(weights: str, source: str) -> dict[str, str]:
    """Return the metadata of every virtual stain."""
    return {
        **VIRTUAL_TEXT,
        "Stain source": StainSource.VIRTUAL.value,
        "Generator": GENERATOR,
        "Weights": weights,
        "Source": source,
        "Software": f"IHC Workbench {__version__}",
    }


def stains_zip(stains: Iterable[tuple[Leaving, bytes]]) -> bytes:
    """Pack virtual stains, as PNG with `marks`, with a manifest as table and as JSON."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        rows = []
        for each, png in stains:
            rows.append(each)
            archive.writestr(f"images/{each.file}", png, zipfile.ZIP_STORED)  # PNG is compressed already
        archive.writestr("manifest.csv", manifest_csv(rows))
        archive.writestr("manifest.json", manifest_json(rows))
        archive.writestr("README.txt", README)
    return buffer.getvalue()


def manifest_csv(rows: Sequence[Leaving]) -> str:
    """One row a file."""
    table = [_row(each) for each in rows]
    return to_csv(list(table[0]), [list(row.values()) for row in table]) if table else ""


def manifest_json(rows: Sequence[Leaving]) -> str:
    """The same as JSON, with what the files are."""
    return json.dumps(
        {
            "what": VIRTUAL_TEXT["Comment"],
            "generator": GENERATOR,
            "version": __version__,
            "images": [asdict(each) for each in rows],
        },
        indent=2,
    )


def _row(each: Leaving) -> dict[str, object]:
    row: dict[str, object] = {
        "file": each.file,
        "stain_source": StainSource.VIRTUAL.value,
        "source": each.source,
        "class": each.label,
        "width": each.size[0],
        "height": each.size[1],
        "recognised_as": each.stain,
        "seam_index": None if each.seams is None else round(each.seams, 3),
        "generator": GENERATOR,
        "weights_sha256": each.weights,
    }
    agreement = each.agreement
    row |= _figures("virtual", None if agreement is None else agreement.virtual)
    row |= _figures("he", None if agreement is None else agreement.he)
    return row


def _figures(title: str, judged: Judgement | None) -> dict[str, object]:
    names = ("ssim", "psnr", "dab_correlation", "dice", "dab_error")
    return {f"{title}_{name}": None if judged is None else round(getattr(judged, name), 4) for name in names}
