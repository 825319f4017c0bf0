"""Where the images of a reader test come from: the choice on the page."""

from dataclasses import dataclass

import streamlit as st

from core import collections, jobs
from core.db.engine import Database
from core.db.records import User
from core.db.settings import get_app_settings
from core.jobs import StoredData
from core.labels import Marker
from pages.ui import errors, training_data

STORED, UPLOAD, COLLECTION, SAMPLE = "Stored data set", "Upload", "Collection", "Sample new ones"
TYPES = ["png", "jpg", "jpeg", "tif", "tiff", "zip"]


@dataclass(frozen=True)
class Chosen:
    """Images that were chosen: `kind` is one of the four words above; `value` an identifier, files or a marker."""

    kind: str
    value: str | tuple[tuple[str, bytes], ...]


def choose(db: Database, user: User, title: str, ways: tuple[str, ...], key: str, marker: Marker) -> Chosen | None:
    """Where images come from; None while nothing is chosen."""
    way = st.segmented_control(title, ways, default=ways[0], required=True, key=f"reader_{key}-{len(ways)}", wrap=True)
    if way == SAMPLE:
        return Chosen(SAMPLE, marker.value)
    if way == UPLOAD:
        return _uploaded(db, key)
    found: dict[str, str] = {}
    with errors.shown():
        if way == STORED:
            stored = jobs.list_datasets(user)
            found = {each.id: training_data.line(each) for each in stored if key != "real" or not _made_here(each)}
        else:
            found = {
                each.id: f"{each.name} · {len(each.images):,} images" for each in collections.list_collections(user)
            }
    if not found:
        st.caption(
            "No data sets yet: upload images here, or store a data set on Training."
            if way == STORED
            else "No collections yet: keep images in the gallery, or sample new ones."
        )
        return None
    chosen = st.selectbox(way, list(found), format_func=found.__getitem__, key=f"reader_{key}_{way}")
    return Chosen(way, chosen)


def _made_here(stored: StoredData) -> bool:
    """Whether a data set says that its images are synthetic or virtual."""
    return any(note.lower().startswith(("synthetic", "virtual")) for note in stored.notes)


def _uploaded(db: Database, key: str) -> Chosen | None:
    with errors.shown():
        limit = get_app_settings(db).upload_limit_mb
    files = st.file_uploader(
        f"Images or a ZIP of images, up to {limit} MB",
        type=TYPES,
        accept_multiple_files=True,
        max_upload_size=limit,
        key=f"reader_files-{key}",
    )
    return Chosen(UPLOAD, tuple((file.name, file.getvalue()) for file in files)) if files else None
