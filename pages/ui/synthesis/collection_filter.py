"""The quality filter over a collection; the accepted images go on as a collection or a data set of their own."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core import collections
from core.collections import Collection
from core.db.engine import Database
from core.db.records import User
from core.jobs import StoredData
from core.labels import CLASSES, Marker
from core.types import Progress
from pages.ui import background
from pages.ui import training_words as words
from pages.ui.synthesis import filter_images
from pages.ui.synthesis.filter_images import Candidate
from pages.ui.workspace import workspace

KEEP = "keep-accepted"


def show(db: Database, user: User, collection: Collection) -> None:
    """The filter in a panel that is opened on request."""
    panel = st.expander("Filter", icon=":material/filter_alt:", key=f"filter-{collection.id}", on_change="rerun")
    if not panel.open:
        return
    with panel:
        candidates = [
            Candidate(each.file, each.kept.label, partial(collections.picture, user, collection.id, each.file))
            for each in collection.images
        ]
        key = f"collection-{collection.id}"
        accepted = filter_images.show(db, user, candidates, key=key, marker=_marker(collection))
        if accepted is not None:
            _offer(user, collection, [collection.images[place].file for place in accepted])


def _marker(collection: Collection) -> Marker:
    """The protein that the images show, by their classes."""
    return Marker.HER2 if set(collection.counts) <= set(CLASSES[Marker.HER2]) else Marker.PR


def _offer(user: User, collection: Collection, files: Sequence[str]) -> None:
    owner = workspace(user).owner
    task = background.find(owner, KEEP)
    if task is not None:
        if background.waits(task):
            return
        _said(background.result_of(task, object))
        background.discard(owner, KEEP)
    name = f"{collection.name}, accepted"
    with st.container(horizontal=True, key="accepted_actions"):
        count = f"{len(files):,} accepted"
        if st.button(f"Keep the {count} as a collection", icon=":material/bookmark_add:", disabled=not files):
            background.start(owner, KEEP, count, partial(_collection, user, collection.id, files, name))
            st.rerun()
        if st.button(f"Use the {count} as data set", icon=":material/model_training:", disabled=not files):
            background.start(owner, KEEP, count, partial(_data_set, user, collection.id, files, name))
            st.rerun()


def _said(made: object) -> None:
    if isinstance(made, StoredData):
        text = f'Stored as the data set "{words.plain(made.name)}": Training lists it.'
        st.success(text, icon=":material/check:")
    elif isinstance(made, Collection):
        st.success(f'Kept as the collection "{words.plain(made.name)}".', icon=":material/check:")


def _collection(user: User, collection_id: str, files: Sequence[str], name: str, progress: Progress) -> Collection:
    return collections.copy_images(user, collection_id, files, name, progress=progress)


def _data_set(user: User, collection_id: str, files: Sequence[str], name: str, progress: Progress) -> StoredData:
    return collections.export_dataset(user, collection_id, name, files=files, progress=progress)
