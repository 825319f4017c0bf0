"""Filter synthetic images: measured once in the background, judged anew with every threshold that is moved.

kept = filter_images.show(db, user, candidates, key="collection-7", marker=Marker.PR)
if kept:                                      # places of the accepted images; None until they were measured
    st.button("Keep the accepted as a collection", ...)
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import Marker
from core.quality import filter as quality
from core.quality.filter import Measures
from core.types import Progress
from pages.ui import background, filtering, filtering_second
from pages.ui.workspace import workspace

CHUNK = 64
"""Images that are held at once."""


@dataclass(frozen=True)
class Candidate:
    """One image to be filtered.

    Attributes:
        name: of its file, saying that it is synthetic.
        label: class it was made as.
        png: makes the file, marked as synthetic in its metadata; called again for an export.
    """

    name: str
    label: str
    png: Callable[[], bytes]


@dataclass(frozen=True)
class Measured:
    """What was measured of some candidates; `identity` says of which, and by which second model."""

    identity: str
    measures: tuple[Measures, ...]
    thumbnails: tuple[bytes, ...]


def show(
    db: Database, user: User, candidates: Sequence[Candidate], *, key: str, marker: Marker
) -> tuple[int, ...] | None:
    """The checks, the button that starts, the results; return the places of the accepted images, None before."""
    runs = filtering_second.runs(user, marker)
    settings = filtering.settings_panel(key, second=bool(runs), neighbours=_has_index(db, marker))
    second = filtering_second.choose(runs, key) if settings.second_model else ""
    measured = _measured(db, user, candidates, key, marker, second)
    if measured is None:
        return None
    judged = [
        filtering.JudgedImage(each.name, thumbnail, each.png, quality.judge(measures, settings))
        for each, thumbnail, measures in zip(candidates, measured.thumbnails, measured.measures, strict=True)
    ]
    filtering.results_panel(judged, key, settings)
    return tuple(place for place, each in enumerate(judged) if each.verdict.accepted)


def _measured(
    db: Database, user: User, candidates: Sequence[Candidate], key: str, marker: Marker, second: str
) -> Measured | None:
    """What is known of these candidates; else how far the work is, or the button that starts it."""
    owner, kind, state = workspace(user).owner, f"filter-{key}", f"filtered-{key}"
    identity = _identity(candidates, second)
    task = background.find(owner, kind)
    if task is not None:
        if background.waits(task):
            return None
        found = background.result_of(task, Measured)
        if found is not None:
            st.session_state[state] = found
            background.discard(owner, kind)
    known = st.session_state.get(state)
    if isinstance(known, Measured) and known.identity == identity:
        return known
    words = "Ask the second model" if second else f"Filter {len(candidates):,} images"
    if st.button(words, icon=":material/filter_alt:", type="primary", key=f"{key}-start", disabled=not candidates):
        work = partial(measure, db, user, tuple(candidates), marker, second, identity)
        background.start(owner, kind, f"{len(candidates):,} images", work)
        st.rerun()
    return None


def measure(
    db: Database,
    user: User,
    candidates: Sequence[Candidate],
    marker: Marker,
    second: str,
    identity: str,
    progress: Progress,
) -> Measured:
    """Measure candidates, a few at a time; in a thread that touches no widget."""
    progress("loading the networks", 0, len(candidates))
    from core.images import decode, thumbnail
    from core.inference.filtering import measure_synthetic
    from core.inference.synthesis import GENERATORS
    from core.serving import serving_engine

    engine, other = serving_engine(db), filtering_second.engine_of(user, marker, second)
    measures: list[Measures] = []
    thumbnails: list[bytes] = []
    for start in range(0, len(candidates), CHUNK):
        progress("filtering", start, len(candidates))
        some = candidates[start : start + CHUNK]
        images = [decode(each.png(), each.name, max_bytes=10**8, max_pixels=10**8).image for each in some]
        labels = [each.label for each in some]
        measures += measure_synthetic(engine, images, labels, marker, second=other, generator=GENERATORS[marker])
        thumbnails += [thumbnail(image, 128) for image in images]
    progress("filtering", len(candidates), len(candidates))
    return Measured(identity, tuple(measures), tuple(thumbnails))


def _identity(candidates: Sequence[Candidate], second: str) -> str:
    names = "\n".join(f"{each.label}/{each.name}" for each in candidates)
    return hashlib.sha256(f"{second}\n{names}".encode()).hexdigest()


def _has_index(db: Database, marker: Marker) -> bool:
    """Whether the generator's weights say which real images they were trained on."""
    from core.inference.synthesis import GENERATORS
    from core.serving import serving_engine

    entry = serving_engine(db).entry(GENERATORS[marker])
    return entry is not None and "index" in entry.extras
