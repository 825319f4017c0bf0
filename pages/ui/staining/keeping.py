"""Filter the virtual stains; what is accepted can become a data set that Training lists."""

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import CLASSES, Marker
from core.quality import filter as quality
from pages.ui import background, filtering, filtering_second
from pages.ui.staining import storing
from pages.ui.staining.measuring import Measured, measure
from pages.ui.staining.results import Found
from pages.ui.workspace import workspace

if TYPE_CHECKING:
    pass

KEY, KIND, STATE = "stain", "stain-filter", "stain_measured"
UNKNOWN = "not known"


def show(found: Found, db: Database, user: User) -> None:
    """The classes, the filter with its results, and the data set of what it accepts."""
    with st.expander("Filter, and keep the good ones", icon=":material/filter_alt:", key="stain_filter", expanded=True):
        marker, labels = _classes(found)
        runs = filtering_second.runs(user, marker)
        settings = filtering.settings_panel(KEY, second=bool(runs))
        second = filtering_second.choose(runs, KEY) if settings.second_model else ""
        measured = _measured(found, labels, marker, second, db, user)
        if measured is None:
            return
        from core.staining_round import file_of

        judged = [
            filtering.JudgedImage(each.file, each.thumbnail, partial(file_of, each), quality.judge(measures, settings))
            for each, measures in zip(found.stained, measured.measures, strict=True)
        ]
        filtering.results_panel(judged, KEY, settings)
        accepted = [
            (label, each)
            for label, each, one in zip(labels, found.stained, judged, strict=True)
            if one.verdict.accepted
        ]
        storing.show(accepted, user)


def _classes(found: Found) -> tuple[Marker, list[str]]:
    """The marker whose classes the images have, and the class of each; chosen here where the files do not say."""
    named = [each.label for each in found.stained]
    silent = named.count("")
    markers = [marker for marker in Marker if any(label in CLASSES[marker] for label in named)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        marker = markers[0] if len(markers) == 1 else _choose_marker(f"{KEY}_marker-{found.number}")
        chosen = ""
        if silent:
            answer = st.selectbox(
                "Class of the image" if len(named) == 1 else f"Class where the name says none ({silent})",
                [UNKNOWN, *CLASSES[marker]],
                key=f"{KEY}_label-{found.number}-{marker}",
                width=320,
                help="What the patient's real stain was scored. Without it the filter cannot ask for the same class, "
                "and the images cannot become a data set.",
            )
            chosen = "" if answer == UNKNOWN else str(answer)
    return marker, [label if label in CLASSES[marker] else chosen for label in named]


def _choose_marker(key: str) -> Marker:
    answer = st.segmented_control(
        "Marker", list(Marker), default=Marker.HER2, required=True, format_func=lambda each: each.title, key=key
    )
    return Marker(answer)


def _measured(
    found: Found, labels: list[str], marker: Marker, second: str, db: Database, user: User
) -> Measured | None:
    """What was measured of these images; else how far the work is, or the button that starts it."""
    owner = workspace(user).owner
    identity = (tuple(each.id for each in found.stained), tuple(labels), marker, second)
    task = background.find(owner, KIND)
    if task is not None:
        if background.waits(task):
            return None
        made = background.result_of(task, Measured)
        background.discard(owner, KIND)
        if made is not None:
            st.session_state[STATE] = made
    known = st.session_state.get(STATE)
    if isinstance(known, Measured) and known.identity == identity:
        return known
    count = len(found.stained)
    words = f"Filter {count:,} images" if count > 1 else "Filter this image"
    if st.button(words, icon=":material/filter_alt:", key="stain_filter_start"):
        work = partial(measure, db, user, found.stained, tuple(labels), marker, second, identity)
        background.start(owner, KIND, words, work)
        st.rerun()
    return None
