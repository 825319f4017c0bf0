"""Accepted virtual stains as a data set of class folders that Training lists."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.db.records import User
from core.jobs import StoredData
from core.types import Progress
from pages.ui import background, training_data, training_places
from pages.ui import training_words as words
from pages.ui.workspace import workspace

if TYPE_CHECKING:
    from core.staining_round import Stained

KIND, MADE, NAME = "stain-store", "stain_stored", "stain_set_name"
DEFAULT_NAME = "Virtual IHC"


def show(accepted: "Sequence[tuple[str, Stained]]", user: User) -> None:
    """Name and button; what came of it, with the way to Training.

    Args:
        accepted: class and virtual stain; class "" where nobody said one.
    """
    owner = workspace(user).owner
    silent = sum(not label for label, _ in accepted)
    st.session_state.setdefault(NAME, DEFAULT_NAME)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="stain_store"):
        name = st.text_input("Name of the data set", key=NAME, max_chars=80, width=280)
        pressed = st.button(
            f"Save {len(accepted):,} accepted as data set",
            type="primary",
            icon=":material/model_training:",
            key="stain_save",
            disabled=not accepted or silent > 0,
        )
    if silent:
        st.caption(f"{silent} of them have no class: choose one above, then they can be trained on.")
    st.caption("Saved in the size of the H&E, so that the magnification stays; every file says that it is virtual.")
    if pressed:
        background.start(owner, KIND, f"{len(accepted):,} images", partial(store, user, str(name), tuple(accepted)))
    task = background.find(owner, KIND)
    if task is not None:
        if background.waits(task):
            return
        st.session_state[MADE] = background.result_of(task, StoredData)
        background.discard(owner, KIND)
    _say(st.session_state.get(MADE))


def store(user: User, name: str, accepted: "Sequence[tuple[str, Stained]]", progress: Progress) -> StoredData:
    """Write the data set; in a thread that touches no widget.

    Raises:
        StorageError: the disk refused it; nothing is left behind.
    """
    from core.jobs.datasets import add_pictures
    from core.staining_export import SET_NOTE
    from core.staining_round import file_of

    files: Iterator[tuple[str, str, bytes]] = ((label, each.file, file_of(each)) for label, each in accepted)
    return add_pictures(user, name or DEFAULT_NAME, files, progress, notes=(SET_NOTE,), total=len(accepted))


def _say(made: object) -> None:
    if not isinstance(made, StoredData):
        return
    st.success(
        f'Stored as the data set "{words.plain(made.name)}" with {made.files:,} images. Training lists it.',
        icon=":material/check:",
    )
    if st.button("Open Training", icon=":material/model_training:", key="stain_training"):
        training_data.take(made)
        training_places.go(training_places.NEW)
        st.switch_page("training.py")
