"""Bringing images into the workbench: a ZIP is unpacked and kept, or a simulated example is made."""

from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from core import jobs
from core.db.engine import Database
from core.db.records import User
from core.db.settings import get_app_settings
from core.jobs import StoredData
from core.types import Progress
from pages.ui import errors, training_work

if TYPE_CHECKING:
    from core.training.data.demonstration import Demonstration

ROUND = "data_round"

LAYOUTS = """
- **Classes**: one folder a class (`0 1+ 2+ 3+`, `PR- PR+`, or any names), images in it, or one folder a case in it.
- **Pairs**: folders `HE` and `IHC` with registered images of the same names.
- `train`, `val` and `test` folders above are respected; without them the split is by case.
- **Table**: a CSV with the columns path, label, case, split, beside its images.
- BCI names (`00002_train_2+.png`) are understood.
"""


def upload(db: Database, user: User, *, key: str) -> StoredData | None:
    """A drop zone; returns the data set once, when a ZIP was unpacked."""
    with errors.shown():
        limit = get_app_settings(db).upload_limit_mb
    turn = st.session_state.get(ROUND, 0)
    file = st.file_uploader(f"ZIP of images, up to {limit} MB", type="zip", max_upload_size=limit, key=f"{key}-{turn}")
    with st.popover("How folders are read", icon=":material/folder_open:", type="tertiary", key=f"{key}-layouts"):
        st.markdown(LAYOUTS)
    if file is None:
        return None
    name = f"unpack-{key}-{file.file_id}"
    title, data = PurePath(file.name).stem, file.getvalue()

    def unpack(progress: Progress) -> StoredData:
        progress("unpacking and checking the images", 0, 1)
        return jobs.add_upload(user, title, data)

    stored = training_work.once(name, "Unpacking", unpack)
    if stored is not None:
        training_work.forget(name)
        st.session_state[ROUND] = turn + 1  # an empty drop zone for the next one
    return stored


def example(user: User) -> StoredData | None:
    """Simulated data sets to try a training with; returns one once, when it was made."""
    from core.training.data.demonstration import DEMONSTRATIONS

    st.caption(
        "Drawn by the workbench, to try a training without images. What it learns says nothing about real tissue."
    )
    made = None
    with st.grid(3, min_column_width=220):
        for each in DEMONSTRATIONS:
            with st.container(border=True, height="stretch", gap="xsmall", key=f"example-card-{each.key}"):
                st.markdown(f"**{each.title}**")
                st.caption(each.content)
                made = _make(each, user) or made
    return made


def _make(each: "Demonstration", user: User) -> StoredData | None:
    from core.training.data.demonstration import demonstration_zip

    def make(progress: Progress) -> StoredData:
        return jobs.add_upload(user, each.title, demonstration_zip(each.key, progress))

    name, begin = f"example-{each.key}", "Simulating sections"
    if training_work.find(name) is None:
        st.button(
            "Make it", icon=":material/science:", key=name, on_click=training_work.start, args=(name, begin, make)
        )
        return None
    stored = training_work.once(name, begin, make)
    if stored is not None:
        training_work.forget(name)
    return stored
