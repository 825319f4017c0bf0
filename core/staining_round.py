"""Many H&E images stained one after the other: each kept small, those that cannot be stained with their reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import uuid4

import numpy as np

from core.config import get_settings
from core.errors import AppError, CancelledError, WrongStainError
from core.image_formats import decode_pixels
from core.images import encode_jpeg, encode_png, resize_to, resize_to_fit
from core.inference.engine import Engine
from core.inference.trust import Disagreement, disagreement
from core.inference.virtual_staining import GENERATOR
from core.labels import Scale
from core.models.registry import get_card
from core.png_text import with_text
from core.staining import Agreement, VirtualStain, stain_upload
from core.staining_export import Leaving, marks, stains_zip, virtual_name
from core.staining_sources import Source, Sources
from core.types import Progress, RGBImage, no_progress

THUMB_PX = 160
PARTS = 1000
"""Steps of the progress bar for one image."""


@dataclass(frozen=True)
class Stained:
    """One virtual stain, encoded.

    Attributes:
        file: name of its file, marked as virtual.
        label: class of the H&E; "" where unknown.
        he, ihc: PNG at the generator's scale; real: likewise, None where there is none.
        thumbnail: JPEG, the left half of the H&E beside the right half of its stain.
        facts: all else that is known.
        trust: where the stain depends on how the tissue lay; None until it was asked for.
    """

    id: str
    file: str
    label: str
    he: bytes = field(repr=False)
    ihc: bytes = field(repr=False)
    real: bytes | None = field(repr=False)
    thumbnail: bytes = field(repr=False)
    facts: "Facts"
    trust: Disagreement | None = None


@dataclass(frozen=True)
class Facts:
    """What is known about one virtual stain; see `core.staining.VirtualStain`."""

    name: str
    size: tuple[int, int]
    mpp: float | None
    stain: str
    seams: float | None
    agreement: Agreement | None
    weights: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """One image that was not stained.

    Attributes:
        source: what to read once more where the user may insist; None where that would not help.
    """

    name: str
    reason: str
    source: Source | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Round:
    """All that came of some images.

    Attributes:
        notes: what else was left out, in words.
        cancelled: images that were not reached.
    """

    stained: tuple[Stained, ...]
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    cancelled: int = 0


def stain_sources(
    sources: Sources,
    *,
    engine: Engine,
    scale: Scale = Scale.FILE,
    insist: bool = False,
    max_bytes: int | None = None,
    progress: Progress = no_progress,
) -> Round:
    """Stain all images; what cannot be stained is named and the others go on. Once cancelled, those done are kept.

    Args:
        insist: stain what does not look like H&E.
    Raises:
        CancelledError: cancelled before the first image was done.
    """
    done: list[Stained] = []
    refused: list[Refused] = []
    taken: set[str] = set()
    count = len(sources.images)
    for index, source in enumerate(sources.images):
        part = _part(progress, index, count, source.name)
        try:
            stained = stain_upload(
                source.read(),
                source.name,
                engine=engine,
                scale=scale,
                insist=insist,
                real=None if source.real is None else (source.real.read(), source.real.name),
                progress=part,
                max_bytes=max_bytes,
            )
            done.append(_kept(stained, source.label, virtual_name(source.name, taken)))
        except CancelledError:
            if not done:
                raise
            return Round(tuple(done), tuple(refused), sources.notes, count - index)
        except WrongStainError as error:
            refused.append(Refused(source.name, str(error), _held(source)))
        except AppError as error:
            refused.append(Refused(source.name, str(error)))
    return Round(tuple(done), tuple(refused), sources.notes)


def doubt(each: Stained, *, engine: Engine, progress: Progress = no_progress) -> Stained:
    """Add the trust map of one virtual stain; raises as `core.inference.trust.disagreement`."""
    found = disagreement(engine, picture(each.he), picture(each.ihc), _part(progress, 0, 1, ""))
    return replace(each, trust=found)


def picture(png: bytes) -> RGBImage:
    """Decode a picture of `Stained`."""
    return decode_pixels(png, "picture", min_side=1, max_pixels=get_settings().max_pixels).image


def painted_mpp(each: Stained) -> float:
    """Micrometres per pixel of its pictures; those of an upload of unknown scale are taken as the generator's."""
    card = get_card(GENERATOR)
    return each.facts.mpp or card.tile_um / card.input_px


def full_size(each: Stained) -> RGBImage:
    """The virtual IHC as large as the H&E was."""
    return resize_to(picture(each.ihc), each.facts.size)


def file_of(each: Stained) -> bytes:
    """The virtual stain as it leaves: PNG as large as the H&E, marked as virtual in its metadata."""
    return with_text(encode_png(full_size(each)), marks(each.facts.weights, each.facts.name))


def leaving(each: Stained) -> Leaving:
    """What the manifest says about it."""
    facts = each.facts
    return Leaving(
        each.file, facts.name, each.label, facts.size, facts.stain, facts.seams, facts.agreement, facts.weights
    )


def zip_of(some: Sequence[Stained]) -> bytes:
    """All of them with their manifest."""
    return stains_zip((leaving(each), file_of(each)) for each in some)


def _part(progress: Progress, index: int, count: int, name: str) -> Progress:
    """The progress of one image as part of that of all: "2 of 5, scan.png: staining virtually, 12 of 484 tiles"."""
    of_all = f"{index + 1} of {count}, {name}: " if count > 1 else ""

    def part(step: str, done: int, total: int) -> None:
        tiles = f", {done} of {total} tiles" if total > 1 else ""
        inside = round(PARTS * done / total) if total else 0
        progress(f"{of_all}{step}{tiles}", index * PARTS + inside, count * PARTS)

    return part


def _held(source: Source) -> Source:
    """The same image with its bytes in memory, as its file may be gone when the user insists."""
    real = source.real and replace(source.real, read=partial(_same, source.real.read()))
    return replace(source, read=partial(_same, source.read()), real=real)


def _same(data: bytes) -> bytes:
    return data


def _kept(stained: VirtualStain, label: str, file: str) -> Stained:
    return Stained(
        id=uuid4().hex,
        file=file,
        label=label,
        he=encode_png(stained.he),
        ihc=encode_png(stained.ihc),
        real=None if stained.real is None else encode_png(stained.real),
        thumbnail=_halves(stained.he, stained.ihc),
        facts=Facts(
            stained.name,
            stained.size,
            stained.mpp,
            stained.stain.stain.title,
            stained.seams,
            stained.agreement,
            stained.weights,
            stained.notes,
        ),
    )


def _halves(he: RGBImage, ihc: RGBImage) -> bytes:
    before, after = resize_to_fit(he, 2 * THUMB_PX), resize_to_fit(ihc, 2 * THUMB_PX)
    middle = before.shape[1] // 2
    return encode_jpeg(np.ascontiguousarray(np.hstack([before[:, :middle], after[:, middle:]])), 85)
