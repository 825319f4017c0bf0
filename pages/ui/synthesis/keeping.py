"""Favourites: kept in a named collection, or exported as ZIP."""

import io
from collections.abc import Sequence

import streamlit as st

from core import collections
from core.db.engine import Database
from core.db.records import User
from pages.ui import errors
from pages.ui.synthesis import collections as shelf
from pages.ui.synthesis import generators, places, sampled
from pages.ui.synthesis.remembered import keep as keep_last
from pages.ui.synthesis.remembered import last
from pages.ui.synthesis.sampled import Chosen
from pages.ui.synthesis.wish import Wish

NAME, KEPT = "keep_name", "kept_last"
HINT = "Click the star of the images you like; they are kept together here, from all pages and classes."
DEFAULT_NAME = "Favourites"
NAME_HELP = "Choose one, or type a new name."


def show(db: Database, user: User, wish: Wish) -> None:
    """What to do with the starred images, and with those on the page."""
    favourites = list(sampled.gallery().favourites.values())
    page = _page(wish)
    with st.container(border=True, key="keeping"):
        words = f"{len(favourites)} favourite{'' if len(favourites) == 1 else 's'}"
        st.markdown(f"**{words}**" if favourites else HINT)
        problem = _problem(db, favourites)
        if problem:
            st.warning(problem, icon=":material/warning:")
        elif favourites:
            _keep(db, user, favourites)
        with st.container(horizontal=True, gap="small", key="sample_exports"):
            if favourites and not problem:
                _export(db, favourites, "Favourites as ZIP", "synthetic-favourites.zip", key="export_favourites")
            _export(db, page, "Page as ZIP", "synthetic-page.zip", key="export_page")
            if favourites:
                st.button("Clear stars", icon=":material/star_border:", on_click=sampled.clear_favourites)
    _said()


def _page(wish: Wish) -> list[Chosen]:
    shown = sampled.gallery().shown
    return list(sampled.on_page(wish, shown[1] if shown else 0))


def _keep(db: Database, user: User, favourites: Sequence[Chosen]) -> None:
    with errors.shown():
        known = collections.list_collections(user)
    names = [each.name for each in known]
    chosen = last(NAME, names[0] if names else DEFAULT_NAME)
    options = list(dict.fromkeys([*names, DEFAULT_NAME, chosen]))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="keep_line"):
        name = st.selectbox(
            "Collection", options, options.index(chosen), key=NAME, accept_new_options=True, help=NAME_HELP
        )
        keep_last(NAME, str(name or DEFAULT_NAME))
        pressed = st.button("Keep favourites", type="primary", icon=":material/bookmark_add:", key="keep_favourites")
    if not pressed:
        return
    with errors.shown(stop=False), st.spinner("Measuring and keeping..."):
        st.session_state[KEPT] = keep(db, user, str(name or ""), favourites)
        sampled.clear_favourites()
        st.rerun()


def collection_named(user: User, name: str) -> collections.Collection:
    """The user's collection of this name, new where there is none."""
    wanted = " ".join(name.split()).casefold()
    known = next((each for each in collections.list_collections(user) if each.name.casefold() == wanted), None)
    return known or collections.create(user, name)


def keep(db: Database, user: User, name: str, chosen: Sequence[Chosen]) -> tuple[str, str]:
    """Keep images in a collection; what was done, in words, and the collection's identifier.

    Raises:
        AppError: no name, no weights, a full disk.
    """
    collection = collection_named(user, name)
    added = collections.add_images(user, collection.id, sampled.made_again(db, chosen), total=len(chosen))
    repeated = f", {added.repeated} were in it already" if added.repeated else ""
    return f'{added.added} images are kept in "{collection.name}"{repeated}.', collection.id


def _said() -> None:
    """What was kept last, with the way there."""
    words, collection_id = st.session_state.get(KEPT, ("", ""))
    if not words:
        return
    st.success(words, icon=":material/check:")
    if st.button("Open the collection", icon=":material/collections_bookmark:", key="open_kept"):
        st.session_state.pop(KEPT)
        shelf.open_(collection_id)
        places.go(places.COLLECTIONS)
        st.rerun()


def _export(db: Database, chosen: Sequence[Chosen], label: str, file: str, *, key: str) -> None:
    st.download_button(
        label,
        lambda: _zip(db, chosen),
        file,
        "application/zip",
        key=key,
        on_click="ignore",
        icon=":material/folder_zip:",
        help="PNG images marked as synthetic, and a manifest with class, seed, truncation, weights and scores",
    )


def _zip(db: Database, chosen: Sequence[Chosen]) -> bytes:
    from core.synthetic_export import write_zip

    file = io.BytesIO()
    write_zip(sampled.made_again(db, chosen), file)
    return file.getvalue()


def _problem(db: Database, favourites: Sequence[Chosen]) -> str:
    """Why favourites can't be made again; empty where they can."""
    for weights in dict.fromkeys(each.weights for each in favourites):
        if generators.engine_of(db, weights).state(weights.model).sha256 != weights.sha256:
            return (
                f"Some favourites were sampled with weights {weights.sha256[:12]}, which are not active any more. "
                "Activate them again on the page Models, or clear the stars."
            )
    return ""
