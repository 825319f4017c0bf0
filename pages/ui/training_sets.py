"""The tab Data sets: what was uploaded, its report, another upload, deletion."""

from functools import partial
from pathlib import Path

import streamlit as st

from core import jobs
from core.db.engine import Database
from core.db.records import User
from core.errors import AppError
from core.jobs import StoredData
from core.training.data import Kind, open_data
from pages.ui import (
    confirm,
    errors,
    times,
    training_data,
    training_list,
    training_places,
    training_report,
    training_upload,
)
from pages.ui import training_words as words


def show(db: Database, user: User) -> None:
    """The list, and a drop zone below it."""
    with errors.shown():
        stored = jobs.list_datasets(user)
    if not stored:
        st.markdown("No data sets yet. Upload a ZIP of images here, or make a simulated example.")
    for each in stored:
        _line(each, user)
    with st.expander("Add a data set", not stored, icon=":material/add:", key="add_data"):
        left, right = st.columns([2, 3], gap="large")
        with left:
            uploaded = training_upload.upload(db, user, key="zip_set")
        with right:
            made = training_upload.example(user)
    if uploaded or made:
        st.toast("The data set is stored.", icon=":material/check:")
        st.rerun()


def _line(each: StoredData, user: User) -> None:
    with st.container(border=True, key=f"data-{each.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            with st.container(gap="xxsmall", width=420):
                st.markdown(f"**{words.plain(each.name)}**")
                parts = [_contents(each.folder), words.size(each.bytes), times.local(each.created)]
                st.caption(" · ".join([*parts, *training_list.owner(each, user)]))
            with st.container(horizontal=True, horizontal_alignment="right"):
                if st.button("Train on it", icon=":material/model_training:", key=f"train_on-{each.id}"):
                    training_data.take(each)
                    training_places.go(training_places.NEW)
                    st.rerun()
                if st.button("Delete", icon=":material/delete:", key=f"delete_data-{each.id}"):
                    _ask(each, user)
        report = st.expander("Report", icon=":material/fact_check:", key=f"report-{each.id}", on_change="rerun")
        if report.open:
            with report:
                training_report.show(user, each.id, key=f"set-{each.id}")


@st.cache_data(max_entries=500, show_spinner=False)
def _contents(folder: Path) -> str:
    """ "143 images of PR-, PR+"; an upload never changes."""
    try:
        data = open_data(folder)
    except AppError:
        return "images are missing"
    if data.kind is Kind.PAIRS:
        return f"{len(data.items):,} pairs"
    return f"{len(data.items):,} images of {words.plain(', '.join(data.classes))}"


def _ask(each: StoredData, user: User) -> None:
    confirm.ask_to_delete(
        "Delete this data set?",
        f"**{words.plain(each.name)}**: {each.files:,} files are removed for good.",
        "Runs that were trained on it keep their weights and figures.",
        key="data",
        delete=partial(_delete, each.id, user),
    )


def _delete(data_id: str, user: User) -> None:
    with errors.shown(stop=False):
        jobs.delete_dataset(user, data_id)
