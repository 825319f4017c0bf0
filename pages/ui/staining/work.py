"""What the page has done in the background: staining, doubting, filtering, storing; no widget is touched here."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import get_settings
from core.db.engine import Database
from core.db.settings import get_app_settings
from core.errors import StorageError
from core.labels import Scale
from core.phantoms.samples import load_sample
from core.types import Progress

if TYPE_CHECKING:
    from core.staining_round import Round, Stained
    from core.staining_sources import Source

MEGABYTE = 1_000_000

# The networks are imported in the threads that need them: the page must not wait for them.


@dataclass(frozen=True)
class Asked:
    """What the user wants stained.

    Attributes:
        uploads, reals: name and bytes of H&E images or ZIPs, and of real IHC of the same fields.
        sample: key of a built-in sample instead of uploads; empty for none.
        again: images that were refused as no H&E, which the user insists on.
    """

    uploads: tuple[tuple[str, bytes], ...] = ()
    reals: tuple[tuple[str, bytes], ...] = ()
    sample: str = ""
    scale: Scale = Scale.FILE
    again: "tuple[Source, ...]" = ()


def stain(asked: Asked, db: Database, progress: Progress) -> "Round":
    """Stain everything that was asked for; raises as `gather_uploads` and `stain_sources`."""
    from core.serving import serving_engine
    from core.staining_round import stain_sources
    from core.staining_sources import Sources, gather_uploads

    if asked.sample:
        progress("drawing the sample", 0, 1)
        data, name = load_sample(asked.sample)
        asked = replace(asked, uploads=((name, data),))
    try:
        with tempfile.TemporaryDirectory(dir=_scratch(), prefix="staining-") as folder:
            sources = (
                Sources(asked.again)
                if asked.again
                else gather_uploads(asked.uploads, asked.reals, Path(folder), progress)
            )
            return stain_sources(
                sources,
                engine=serving_engine(db),
                scale=asked.scale,
                insist=bool(asked.again),
                max_bytes=get_app_settings(db).upload_limit_mb * MEGABYTE,
                progress=progress,
            )
    except OSError as error:
        raise StorageError(
            f"The images cannot be unpacked ({error.strerror or error}). Free some disk space, then try again."
        ) from error


def doubt(each: "Stained", db: Database, progress: Progress) -> "Stained":
    """Add the trust map of one virtual stain."""
    from core.serving import serving_engine
    from core.staining_round import doubt as with_doubt

    return with_doubt(each, engine=serving_engine(db), progress=progress)


def _scratch() -> Path:
    folder = get_settings().data_dir / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
