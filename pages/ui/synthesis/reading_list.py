"""The tests somebody may read, and one of them: its next image, or the reader's own result."""

from functools import partial

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import Role
from core.reading import results, taking
from core.reading.round import Question, Round
from core.reading.taking import Listed
from pages.ui import errors, times
from pages.ui import training_words as words
from pages.ui.synthesis import places, reading_results, reading_round, reading_tables

PAGE, PARAMETER = "reading.py", "test"


def opened() -> str:
    """The test that the address names, so that a reload finds it again; empty for none."""
    return str(st.query_params.get(PARAMETER, ""))


def start(test_id: str) -> None:
    """Leave for a test's images."""
    st.switch_page(PAGE, query_params={PARAMETER: test_id})


def show(db: Database, user: User) -> None:
    """The tests this user may read."""
    st.caption("Images are shown without names. Every answer is stored at once: leave when you like, and go on later.")
    with errors.shown():
        listed = taking.list_tests(db, user)
    if not listed:
        st.markdown("No reader test is offered to you at the moment.")
        if user.role in (Role.RESEARCHER, Role.ADMIN):
            st.markdown('Make one on the page Synthesis, in the tab "Real or synthetic?".')
            if st.button("Make a reader test", icon=":material/add:", key="make_reader_test"):
                places.go(places.READER_TEST)
                st.switch_page("synthesis.py")
    for each in listed:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"reader_test-{each.test.id}"):
            with st.container(gap="xxsmall", width=420):
                st.markdown(f"**{words.plain(each.test.name)}**")
                st.caption(about(each))
            with st.container(horizontal=True, horizontal_alignment="right"):
                read_button(each)


def about(each: Listed) -> str:
    """ "Real or synthetic? · 40 images, 12 answered · by ada, 21 Nov 2026"."""
    test = each.test
    counted = f"{test.items} images" + (f", {each.answered} answered" if each.answered else "")
    by = "" if each.mine else f"by {words.plain(test.owner)}, "
    return f"{Question(test.kind).title} · {counted} · {by}{times.local(test.created)}"


def read_button(each: Listed) -> None:
    """The button that leads to the test's images, or to the result."""
    label, icon = ("Go on", ":material/resume:") if each.answered else ("Read", ":material/visibility:")
    if each.finished:
        label, icon = "My result", ":material/monitoring:"
    if st.button(label, icon=icon, key=f"read-{each.test.id}"):
        start(each.test.id)


def show_test(db: Database, user: User, test_id: str) -> None:
    """The next image of a test, or what the reader's answers amount to."""
    if st.button("All reader tests", icon=":material/arrow_back:", type="tertiary", key="close_reader_test"):
        st.query_params.clear()
        st.rerun()
    with errors.shown():
        test = taking.get_test(db, user, test_id)
        round_ = taking.own_round(db, user, test_id)
    st.subheader(words.plain(test.name))
    if not round_.finished:
        reading_round.show(
            round_,
            key=f"reading-{test.id}",
            picture=lambda item: taking.picture(db, user, test.id, item.id),
            answer=partial(taking.record, db, user, test.id),
            take_back=partial(taking.take_back, db, user, test.id),
        )
        return
    _result(db, user, test_id, round_)


def _result(db: Database, user: User, test_id: str, round_: Round) -> None:
    with errors.shown():
        found = results.own_results(db, user, test_id)
    st.success("Every image has its answer. Thank you.", icon=":material/check:")
    st.caption(words.plain(found.test.note))
    st.download_button(
        "CSV of my answers",
        partial(results.own_csv, db, user, test_id),
        f"reader-test-{test_id}.csv",
        "text/csv",
        icon=":material/table_view:",
        key="own_csv",
        on_click="ignore",
    )
    reading_results.own_result(
        round_, key=f"result-{test_id}", picture=lambda item_id: taking.picture(db, user, test_id, item_id)
    )
    if found.kappas:
        reading_tables.kappas(found.kappas, round_.question)
