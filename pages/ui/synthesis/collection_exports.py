"""What leaves a collection: a ZIP with its manifest, or a data set that Training can use."""

from functools import partial

import streamlit as st

from core import collections
from core.collections import Collection, Packed
from core.db.records import User
from core.jobs import StoredData
from core.types import Progress
from pages.ui import background, training_data, training_places
from pages.ui import training_words as words
from pages.ui.workspace import workspace

PACK, COPY, MADE = "pack-collection", "copy-collection", "collection_made"


def show(collection: Collection, user: User) -> None:
    """Both buttons; how far the work is, and what came of it."""
    owner = workspace(user).owner
    running = [task for task in (background.find(owner, PACK), background.find(owner, COPY)) if task is not None]
    busy = any(not task.done.is_set() for task in running)
    with st.container(horizontal=True, key="collection_exports"):
        packed = _packed(collection, owner)
        if packed is not None:
            _download(packed)
        elif st.button("Export ZIP", icon=":material/folder_zip:", key="pack_collection", disabled=busy):
            background.start(owner, PACK, collection.name, partial(_pack, user, collection.id))
            st.rerun()
        if st.button(
            "Use as data set in Training", icon=":material/model_training:", key="copy_collection", disabled=busy
        ):
            background.start(owner, COPY, collection.name, partial(_copy, user, collection.id))
            st.rerun()
    packing = background.find(owner, PACK)
    if packing is not None and not background.waits(packing) and packed is None:
        if packing.error is not None:
            background.result_of(packing, Packed)
        background.discard(owner, PACK)  # cancelled, failed, or of another collection or state
    _copied(collection, owner)


def _packed(collection: Collection, owner: str) -> Packed | None:
    """The finished file of this collection as it is now; None where there is none."""
    task = background.find(owner, PACK)
    packed = task.result if task is not None and task.done.is_set() else None
    fits = isinstance(packed, Packed) and packed.path.stem.endswith(collection.id)
    return packed if fits and isinstance(packed, Packed) and packed.changed == collection.changed else None


def _download(packed: Packed) -> None:
    st.download_button(
        f"Download {packed.count:,} images ({words.size(packed.bytes)})",
        packed.path.read_bytes,
        packed.path.name,
        "application/zip",
        icon=":material/download:",
        type="primary",
        key="download_collection",
        on_click="ignore",
        help="PNG files marked as synthetic, manifest.csv and manifest.json with seed, class, weights and scores",
    )


def _copied(collection: Collection, owner: str) -> None:
    task = background.find(owner, COPY)
    if task is not None:
        if background.waits(task):
            return
        made = background.result_of(task, StoredData)
        background.discard(owner, COPY)
        if made is not None:
            st.session_state[MADE] = (collection.id, made)
    of, made = st.session_state.get(MADE, ("", None))
    if made is None or of != collection.id:
        return
    st.success(
        f'Stored as the data set "{words.plain(made.name)}" with {made.files:,} images. Choose it on Training as the '
        'images of a run, or for a classifier under "More" as its synthetic images.',
        icon=":material/check:",
    )
    if st.button("Open Training", icon=":material/model_training:", key="open_training"):
        training_data.take(made)
        training_places.go(training_places.NEW)
        st.switch_page("training.py")


def _pack(user: User, collection_id: str, progress: Progress) -> Packed:
    return collections.pack(user, collection_id, progress=progress)


def _copy(user: User, collection_id: str, progress: Progress) -> StoredData:
    name = f"{collections.get(user, collection_id).name} (synthetic)"
    return collections.export_dataset(user, collection_id, name, progress=progress)
