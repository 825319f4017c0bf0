"""The tab Collections: kept images by name; one is opened, looked through, exported, trained on."""

from functools import partial

import streamlit as st

from core import collections
from core.collections import Collection
from core.db.engine import Database
from core.db.records import User
from pages.ui import confirm, errors, times
from pages.ui import training_words as words
from pages.ui.synthesis import collection_view, places

OPEN = "collection_open"


def show(db: Database, user: User) -> None:
    """The list, or the collection that was opened."""
    with errors.shown():
        found = {each.id: each for each in collections.list_collections(user)}
    opened = found.get(st.session_state.get(OPEN, ""))
    if opened is not None:
        collection_view.show(db, opened, user, close=partial(open_, ""))
        return
    if not found:
        st.markdown(
            "No collections yet. Sample images in the gallery, mark the best with their star, and keep them under a "
            "name; they are listed here, can be exported, and Training can use them."
        )
        if st.button("Go to the gallery", icon=":material/auto_awesome_mosaic:", key="collections_gallery"):
            places.go(places.GALLERY)
            st.rerun()
    for each in found.values():
        _line(each, user)


def open_(collection_id: str) -> None:
    """Show a collection from the next run of the page on; the list with an empty identifier."""
    st.session_state[OPEN] = collection_id


def _line(each: Collection, user: User) -> None:
    with (
        st.container(border=True, key=f"collection-{each.id}"),
        st.container(horizontal=True, vertical_alignment="center", gap="medium"),
    ):
        with st.container(gap="xxsmall", width=420):
            st.markdown(f"**{words.plain(each.name)}**")
            st.caption(collection_view.summary(each) + f" · {times.local(each.changed)}")
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.button(
                "Open", icon=":material/folder_open:", key=f"open_collection-{each.id}", on_click=open_, args=(each.id,)
            )
            if st.button("Delete", icon=":material/delete:", key=f"delete_collection-{each.id}"):
                _ask(each, user)


def _ask(each: Collection, user: User) -> None:
    confirm.ask_to_delete(
        "Delete this collection?",
        f"**{words.plain(each.name)}**: {len(each.images):,} images are removed for good.",
        "Data sets that were made of it stay. The same seed, class and weights give the same image again.",
        key="collection",
        delete=partial(_delete, each.id, user),
    )


def _delete(collection_id: str, user: User) -> None:
    with errors.shown(stop=False):
        collections.delete(user, collection_id)
