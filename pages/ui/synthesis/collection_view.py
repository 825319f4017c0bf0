"""One collection: its images with what is known of each, its name, what leaves it."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core import collections
from core.collections import Collection, StoredImage
from core.db.engine import Database
from core.db.records import User
from pages.ui import confirm, errors, grid
from pages.ui import training_words as words
from pages.ui.grid import Cell
from pages.ui.synthesis import collection_exports, collection_filter

ON_A_PAGE = 96


def show(db: Database, collection: Collection, user: User, *, close: Callable[[], None]) -> None:
    """Show an opened collection.

    Args:
        close: called by the button that leads back to the list.
    """
    st.button("All collections", icon=":material/arrow_back:", type="tertiary", key="close_collection", on_click=close)
    with st.container(horizontal=True, vertical_alignment="center", key="collection_head"):
        st.subheader(words.plain(collection.name), width="content")
        _rename(collection, user)
    st.caption(summary(collection))
    if not collection.images:
        st.markdown("This collection is empty. Mark images in the gallery and keep them in it.")
        return
    collection_exports.show(collection, user)
    collection_filter.show(db, user, collection)
    shown = _page(collection)
    with errors.shown():
        cells = [_cell(collection, user, each) for each in shown]
    key = f"collection-grid-{collection.id}"
    above = st.container()
    touched = grid.show(cells, key=key)
    if touched.marked:
        with above:
            _offer_removal(collection, user, sorted(touched.marked), key)
    opened = next((each for each in shown if each.file == touched.opened), None)
    if opened is not None:
        _enlarged(collection, user, opened, key)


def summary(collection: Collection) -> str:
    """ "12 images: 5 PR-, 7 PR+ · 0.5 MB"."""
    counts = collection.counts
    number = len(collection.images)
    classes = ", ".join(f"{count:,} {label}" for label, count in counts.items())
    images = f"{number:,} image{'' if number == 1 else 's'}" + (f": {classes}" if classes else "")
    return f"{words.plain(images)} · {words.size(collection.bytes)}"


def _page(collection: Collection) -> Sequence[StoredImage]:
    """The images of the page that is turned to."""
    pages = -(-len(collection.images) // ON_A_PAGE)
    key = f"collection_page-{collection.id}"
    page = min(st.session_state.get(key, 1) or 1, pages)
    if pages > 1:
        st.session_state[key] = page
        st.pagination(pages, key=key)
    return collection.images[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]


def _cell(collection: Collection, user: User, each: StoredImage) -> Cell:
    return Cell(
        each.file,
        collections.picture(user, collection.id, each.file),
        caption=f"{each.kept.label} · seed {each.kept.seed}",
        marked=False,
        alt=f"{each.kept.label}, seed {each.kept.seed}",
    )


def _enlarged(collection: Collection, user: User, each: StoredImage, key: str) -> None:
    """One image in a dialog: closing it forgets that it was opened."""

    def close() -> None:
        st.session_state.pop(f"{key}-opened", None)

    @st.dialog(f"{each.kept.label}, seed {each.kept.seed}", on_dismiss=close)
    def dialog() -> None:
        with errors.shown():
            picture = collections.picture(user, collection.id, each.file)
        st.image(picture, width="stretch", alt=f"Synthetic image {each.kept.label}, seed {each.kept.seed}")
        kept = each.kept
        st.caption(f"Truncation {kept.truncation:g} · {words.plain(kept.model)}, weights {kept.weights_sha256[:12]}")
        if kept.scores:
            st.markdown(" · ".join(f"{words.plain(name)} **{value:.3g}**" for name, value in kept.scores.items()))
        st.download_button(
            "PNG",
            picture,
            each.file,
            "image/png",
            icon=":material/download:",
            key="collection_png",
            on_click="ignore",
            help="Marked as synthetic in its name and metadata",
        )

    dialog()


def _rename(collection: Collection, user: User) -> None:
    turn = f"{collection.id}-{collection.changed.timestamp()}"  # a fresh field, and a closed panel, after each change
    with (
        st.popover("Rename", icon=":material/edit:", key=f"rename-{turn}"),
        st.form(f"rename_form-{turn}", border=False),
    ):
        name = st.text_input("Name", collection.name, max_chars=80, key=f"new_name-{turn}")
        if st.form_submit_button("Rename", key="rename_now"):
            with errors.shown():
                collections.rename(user, collection.id, name or "")
            st.rerun()


def _offer_removal(collection: Collection, user: User, files: list[str], key: str) -> None:
    what = f"{len(files)} image{'' if len(files) == 1 else 's'}"
    if st.button(f"Remove {what}", icon=":material/delete:", key="remove_marked"):
        confirm.ask_to_delete(
            f"Remove {what}?",
            f"{what} with a star leave the collection **{words.plain(collection.name)}** for good.",
            "The same seed, class and weights give the same image again.",
            key="kept_images",
            delete=partial(_remove, collection.id, user, files, key),
        )


def _remove(collection_id: str, user: User, files: list[str], key: str) -> None:
    with errors.shown(stop=False):
        collections.remove_images(user, collection_id, files)
    grid.forget(key)
