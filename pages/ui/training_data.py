"""Step 1 of a new run: which images."""

from dataclasses import dataclass

import streamlit as st

from core import jobs
from core.db.engine import Database
from core.db.records import User
from core.jobs import StoredData
from pages.ui import errors, times, training_upload
from pages.ui import training_words as words

STORED, UPLOAD, FOLDER, EXAMPLE = "Stored data set", "Upload a ZIP", "Folder on the server", "Simulated example"
SOURCE, CHOSEN, NEXT = "data_source", "data_stored", "data_next"


@dataclass(frozen=True)
class Source:
    """Images that somebody chose.

    Attributes:
        place: identifier of a stored data set, or a path on the server.
        title: short, for the name of the run.
    """

    place: str
    title: str


def choose(db: Database, user: User) -> Source | None:
    """The four ways to images; None while nothing is chosen."""
    with errors.shown():
        stored = {each.id: each for each in jobs.list_datasets(user)}
    following = st.session_state.pop(NEXT, None)
    if following in stored:
        st.session_state[SOURCE], st.session_state[CHOSEN] = STORED, following
    st.session_state.setdefault(SOURCE, STORED if stored else UPLOAD)
    source = st.segmented_control(
        "Images from",
        [STORED, UPLOAD, FOLDER, EXAMPLE],
        required=True,
        key=SOURCE,
        persist_state="session",
        label_visibility="collapsed",
        wrap=True,
    )
    if source == STORED:
        return _stored(stored)
    if source == FOLDER:
        return _folder()
    added = training_upload.upload(db, user, key="zip") if source == UPLOAD else training_upload.example(user)
    if added is not None:
        take(added)
        st.rerun()
    return None


def take(stored: StoredData) -> None:
    """Choose a stored data set from the next run of the page on."""
    st.session_state[NEXT] = stored.id


def title_of(user: User, data: str) -> str:
    """How the images of a run are called: the name of the stored data set, else the path."""
    with errors.shown(stop=False):
        for each in jobs.list_datasets(user):
            if data == str(each.folder):
                return each.name
    return data


def line(each: StoredData) -> str:
    """ "Core tiles · 240 files, 12 MB · 21 Nov 2026, 20:49"."""
    return f"{each.name} · {each.files:,} files, {words.size(each.bytes)} · {times.local(each.created)}"


def _stored(stored: dict[str, StoredData]) -> Source | None:
    if not stored:
        st.markdown("No data sets yet. Upload a ZIP, name a folder on the server, or make a simulated example.")
        return None
    if st.session_state.get(CHOSEN) not in stored:
        st.session_state[CHOSEN] = next(iter(stored))
    chosen = st.selectbox(
        "Data set", list(stored), format_func=lambda each: line(stored[each]), key=CHOSEN, persist_state="session"
    )
    return Source(chosen, stored[chosen].name)


def _folder() -> Source | None:
    path = st.text_input(
        "Path of a folder or a CSV on the server",
        key="data_folder",
        placeholder="/srv/images/her2",
        persist_state="session",
        help=training_upload.LAYOUTS,
    )
    place = (path or "").strip()
    return Source(place, place.rstrip("/").rsplit("/", 1)[-1]) if place else None
