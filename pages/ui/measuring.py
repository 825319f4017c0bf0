"""Measured figures beside the picture, and what a person may change about them.

The viewer shows the outlines and takes clicks (`pages.ui.viewer`); here stand the figures, the thresholds and what can
be done with the result. A change runs this fragment only: nothing is detected again, no picture is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.labels import Marker
from core.quantify.adjusted import classes_of, scores_of
from core.types import MembraneScores, NuclearScores, Nuclei
from pages.ui import adjusting_buttons, figures, measuring_chart, thresholds, viewer
from pages.ui.adjusting import summary
from pages.ui.figures import ReadAs, Scores
from pages.ui.outlines import Live
from pages.ui.workspace import Opened

FRAGMENT = "measuring"
VIEWER = "viewer"
STATE = "measured_scores"


@dataclass(frozen=True)
class Measured:
    """Scores as measured and with the changes, of one state of the changes."""

    identity: str
    revision: int
    original: Scores
    now: Scores


def available(opened: Opened) -> bool:
    """Whether there are nuclei to look at."""
    return opened.result.nuclei is not None and len(opened.result.nuclei) > 0


@st.fragment(key="picture")
def show_picture(opened: Opened) -> None:
    """Show the pictures; what is done in them runs `show` anew and neither this nor the page."""
    viewer.show(opened.packet, key=VIEWER, on_events=partial(_take_events, opened) if available(opened) else None)


def _take_events(opened: Opened) -> None:
    if opened.result.nuclei is not None:
        size = opened.result.analysis.provenance.size
        opened.adjusting.take(viewer.events(VIEWER), opened.identity, opened.result.nuclei, size)
    st.rerun(FRAGMENT)


@st.fragment(key=FRAGMENT)
def show(opened: Opened) -> None:
    """Show the figures, the thresholds, the histogram and the buttons."""
    nuclei, adjusting = opened.result.nuclei, opened.adjusting
    if nuclei is None:
        return
    measured = _measured(opened, nuclei)
    st.markdown("#### Measured on the " + ("cells" if nuclei.membranes is not None else "nuclei"))
    read_as = _read_as(opened)
    classes = classes_of(nuclei, adjusting.now)
    spot = measured.now.hot_spot if read_as is ReadAs.KI67 and isinstance(measured.now, NuclearScores) else None
    with st.container(key="viewer_link"):
        live = Live(
            opened.identity,
            classes,
            adjusting.now,
            adjusting.taken,
            undo=bool(adjusting.past),
            redo=bool(adjusting.future),
            problem=adjusting.problem,
            hot_spot=spot,
        )
        viewer.tell(live.message(), key="live")
    if adjusting.problem:
        st.error(adjusting.problem, icon=":material/error:")
    said = [notice.message for notice in opened.result.analysis.notices]
    _show_figures(measured, read_as, summary(adjusting.now), said)
    thresholds.show(opened)
    measuring_chart.show(nuclei, classes, adjusting.now.thresholds)
    adjusting_buttons.show(opened)


def _read_as(opened: Opened) -> ReadAs:
    """The receptor or Ki-67: the image does not say which nuclear stain it is."""
    if opened.result.analysis.marker is not Marker.PR:
        return ReadAs.PR
    chosen = st.segmented_control(
        "Read as", list(ReadAs), default=ReadAs.PR, required=True, key="read_as", persist_state="session"
    )
    return ReadAs(chosen or ReadAs.PR)


def _measured(opened: Opened, nuclei: Nuclei) -> Measured:
    """The scores of the present state; computed once a change."""
    known = st.session_state.get(STATE)
    key = (opened.identity, opened.adjusting.revision)
    if isinstance(known, Measured) and (known.identity, known.revision) == key:
        return known
    same = isinstance(known, Measured) and known.identity == opened.identity
    original = known.original if isinstance(known, Measured) and same else scores_of(nuclei)
    now = scores_of(nuclei, opened.adjusting.now) if opened.adjusting.changed else original
    measured = Measured(*key, original, now)
    st.session_state[STATE] = measured
    return measured


def _show_figures(measured: Measured, read_as: ReadAs, changes: str, said: Sequence[str]) -> None:
    original, now = measured.original, measured.now
    sentence = f"Measured **{figures.headline(original, read_as)}**"
    if changes:
        sentence += f"; with your changes **{figures.headline(now, read_as)}**: {changes}."
    st.markdown(sentence)
    for remark in figures.remarks(now, read_as):
        if not any(remark in message for message in said):
            st.warning(remark, icon=":material/warning:")
    before, after = figures.rows(original, read_as), dict(figures.rows(now, read_as))
    columns = {"": [label for label, _ in before], "Measured": [value for _, value in before]}
    if changes:
        columns["With your changes"] = [after.get(label, "none") for label, _ in before]
    st.table(columns, hide_index=True, hide_header=not changes, border="horizontal")
    st.caption("In brackets: 95 % interval over the fields of this image.")
    if isinstance(now, MembraneScores) and now.reading is not None:
        _show_reading(now)


def _show_reading(scores: MembraneScores) -> None:
    reading = scores.reading
    if reading is None:
        return
    st.markdown(f"**{reading.rule}**")
    if reading.secondary:
        st.markdown(reading.secondary)
    with st.expander("Distance to each cut-off", icon=":material/straighten:", key="distances"):
        rows = figures.distances(reading)
        columns = {"cut-off": [cut for cut, _ in rows], "distance": [distance for _, distance in rows]}
        st.table(columns, hide_index=True, hide_header=True, border="horizontal")
        st.caption(f"Source: {reading.source}")
