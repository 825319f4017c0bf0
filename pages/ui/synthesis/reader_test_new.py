"""Making a reader test: which question, which images, how many."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.db.engine import Database
from core.db.reading import ReaderTest
from core.db.records import User
from core.labels import CLASSES, Marker
from core.reading.round import Question
from core.types import Progress
from pages.ui import background
from pages.ui import training_words as words
from pages.ui.synthesis import reader_test_work
from pages.ui.synthesis.reader_test_sources import COLLECTION, SAMPLE, STORED, UPLOAD, choose
from pages.ui.workspace import workspace

MAKE, TURN = "make-reader-test", "reader_test_turn"


def show(db: Database, user: User, *, first: bool) -> None:
    """The form; how far the making is, and what came of it."""
    owner = workspace(user).owner
    task = background.find(owner, MAKE)
    if task is not None:
        if background.waits(task):
            return
        made = background.result_of(task, ReaderTest)
        background.discard(owner, MAKE)
        if made is not None:
            st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
            st.toast(f"The test {words.plain(made.name)} is made.", icon=":material/check:")
            st.rerun()
    turn = st.session_state.get(TURN, 0)
    with st.expander("New test", first, icon=":material/add:", key=f"new_reader_test-{turn}"):
        question = st.segmented_control(
            "Question",
            list(Question),
            format_func=lambda each: each.title,
            default=Question.ORIGIN,
            required=True,
            key="reader_question",
        )
        work = _origin(db, user) if question is Question.ORIGIN else _scoring(db, user, Question(question))
        if st.button("Make the test", type="primary", icon=":material/add:", key="make_test", disabled=work is None):
            background.start(owner, MAKE, "Reader test", work or _nothing)
            st.rerun()


def _origin(db: Database, user: User) -> Callable[[Progress], object] | None:
    left, right = st.columns(2, gap="large")
    with left:
        marker = st.segmented_control(
            "Generator",
            list(Marker),
            format_func=lambda each: each.title,
            default=Marker.PR,
            required=True,
            key="reader_marker",
            help="All images get the size and the scale of its images.",
        )
        real = choose(db, user, "Real images from", (STORED, UPLOAD), "real", marker)
    with right:
        labels = st.multiselect("Classes", CLASSES[marker], placeholder="all", key=f"reader_classes-{marker}")
        synthetic = choose(db, user, "Synthetic images from", (SAMPLE, COLLECTION), "synthetic", marker)
    with st.container(horizontal=True, vertical_alignment="bottom", key="reader_numbers"):
        reals = st.number_input("Real images", 1, 500, 20, key="reader_real", width=150)
        made = st.number_input("Synthetic images", 1, 500, 20, key="reader_synthetic", width=150)
        plan = _plan()
    if real is None or synthetic is None:
        return None
    counts = (int(reals), int(made))
    return partial(reader_test_work.origin, db, user, plan, marker, real, synthetic, counts, tuple(labels))


def _scoring(db: Database, user: User, question: Question) -> Callable[[Progress], object] | None:
    marker = Marker(question.value)
    source = choose(db, user, "Images from", (STORED, UPLOAD, COLLECTION, SAMPLE), "scored", marker)
    st.caption("The workbench scores every image now; readers do not see its answer before their last one.")
    with st.container(horizontal=True, vertical_alignment="bottom", key="reader_numbers"):
        count = st.number_input("Images", 1, 500, 20, key="reader_count", width=150)
        plan = _plan()
    if source is None:
        return None
    return partial(reader_test_work.scoring, db, user, plan, question, source, int(count))


def _plan() -> tuple[str, int, bool]:
    """Name, seed and whether it is offered."""
    name = st.text_input("Name", key="reader_name", max_chars=80, placeholder="named after the question", width=300)
    seed = st.number_input("Seed", 0, 2**32 - 1, 0, key="reader_seed", width=150)
    offered = st.toggle("Offer it to all users", key="reader_offered")
    return name or "", int(seed), offered


def _nothing(_progress: Progress) -> None:
    """Nothing was chosen."""
