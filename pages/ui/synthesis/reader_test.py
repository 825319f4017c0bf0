"""The tab "Real or synthetic?": tests one made or may read, what they have shown, and how to make one."""

from functools import partial

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.reading import results, taking
from core.reading.taking import Listed
from pages.ui import confirm, errors
from pages.ui import training_words as words
from pages.ui.synthesis import reader_test_new, reading_list, reading_results


def show(db: Database, user: User) -> None:
    """The list, one's results below it, and the form for another test."""
    with errors.shown():
        listed = taking.list_tests(db, user)
    if not listed:
        st.markdown(
            "No reader tests yet. A test shows real and synthetic images in a random order, or images to score, and "
            "asks about each without saying what it is. Make one here, then read it yourself or offer it to the others."
        )
    for each in listed:
        _line(each, db, user)
    reader_test_new.show(db, user, first=not listed)


def _line(each: Listed, db: Database, user: User) -> None:
    test = each.test
    with st.container(border=True, key=f"own_test-{test.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            with st.container(gap="xxsmall", width=380):
                st.markdown(f"**{words.plain(test.name)}**")
                st.caption(reading_list.about(each))
            with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
                if each.mine:
                    st.toggle(
                        "Offered",
                        test.offered,
                        key=f"offered-{test.id}",
                        help="Everybody with an account on this workbench may read it.",
                        on_change=_offer,
                        args=(db, user, test.id),
                    )
                reading_list.read_button(each)
                if each.mine and st.button("Delete", icon=":material/delete:", key=f"delete_test-{test.id}"):
                    _ask(each, db, user)
        if each.mine:
            _results(each, db, user)


def _results(each: Listed, db: Database, user: User) -> None:
    panel = st.expander(
        "Results of all readers", icon=":material/monitoring:", key=f"results-{each.test.id}", on_change="rerun"
    )
    if not panel.open:
        return
    with panel:
        if not each.finished:
            st.caption("You have not read every image yourself: this shows which image is what.")
        with errors.shown():
            found = results.all_results(db, user, each.test.id)
        reading_results.everybody(
            found,
            key=f"all-{each.test.id}",
            picture=lambda item_id: taking.picture(db, user, each.test.id, item_id),
        )
        st.download_button(
            "CSV of all answers",
            partial(results.all_csv, db, user, each.test.id),
            f"reader-test-{each.test.id}.csv",
            "text/csv",
            icon=":material/table_view:",
            key=f"csv-{each.test.id}",
            on_click="ignore",
            disabled=not any(reader.answered for reader in found.readers),
        )


def _offer(db: Database, user: User, test_id: str) -> None:
    with errors.shown(stop=False):
        taking.offer(db, user, test_id, bool(st.session_state.get(f"offered-{test_id}")))


def _ask(each: Listed, db: Database, user: User) -> None:
    confirm.ask_to_delete(
        "Delete this reader test?",
        f"**{words.plain(each.test.name)}**: {each.test.items} images and the answers of all readers are removed for "
        "good.",
        "The data set and the collection that the images came from stay.",
        key="reader_test",
        delete=partial(_delete, db, user, each.test.id),
    )


def _delete(db: Database, user: User, test_id: str) -> None:
    with errors.shown(stop=False):
        taking.delete(db, user, test_id)
