"""Steps 1 and 2: a simulated 3+ is scored, from the stain itself and from H&E of the same tissue."""

from functools import partial

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import Marker, NucleiMethod, Scale
from core.phantoms.samples import load_sample
from core.reports.content import report_content
from core.types import Options, Progress
from pages.ui import layers, results, viewer, work
from pages.ui.demonstration.prepared import prepared
from pages.ui.workspace import Opened

STAINED, HE = "her2-3", "he"
OPTIONS = Options(marker=Marker.HER2, scale=Scale.X40, nuclei=NucleiMethod.NONE)
"""The heat map is what is shown, so that no nucleus is sought; the samples are drawn at 40x."""


def show_stained(db: Database, user: User) -> None:
    """The score of the stain, and where the network looked."""
    _show(db, user, STAINED, "HER2 3+ (simulated)")


def show_he(db: Database, user: User) -> None:
    """The score of the virtual stain, with its banner."""
    _show(db, user, HE, "H&E (simulated)")


def _show(db: Database, user: User, sample: str, name: str) -> None:
    opened = prepared(user, sample, name, Opened, partial(_analyse, db, sample))
    if opened is None:
        return
    st.html(results.LAYOUT)
    with st.container(key="result"):
        with st.container(key="answer"):
            results.show_answer(report_content(opened.result), opened)
        with st.container(key="picture"):
            viewer.show(opened.packet, key=f"viewer-{sample}")


def _analyse(db: Database, sample: str, progress: Progress) -> Opened:
    """Score a sample; in a thread, and without the history."""
    progress("drawing the sample", 0, 1)
    data, name = load_sample(sample)
    progress("loading the networks", 0, 1)
    result = work.analyze_here_or_there(data, name, OPTIONS, progress, db)
    return Opened(result, layers.pack(result, f"tour-{sample}"), f"tour-{sample}")
