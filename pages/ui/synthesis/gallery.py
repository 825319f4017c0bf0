"""The tab Gallery: sample images of a class, look at them, star the best, keep or export them."""

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from pages.ui import errors
from pages.ui.synthesis import detail, keeping, many, sampled, wish
from pages.ui.synthesis.wish import Wish

HEIGHT_PX = 620
EMPTY = "No images yet. Choose a class and press Generate: 64 images take about a second."


def show(db: Database, user: User) -> None:
    """Left what is asked for, right the images, beside them the one that was clicked."""
    left, middle, right = st.columns([4, 10, 9], gap="medium")
    state = sampled.gallery()
    with left:
        asked = wish.ask(db, user)
    if asked is not None:
        state.wish = asked
        st.session_state[sampled.PAGE_NUMBER] = 1
    with middle:
        if state.wish is None:
            st.info(EMPTY, icon=":material/auto_awesome_mosaic:")
            return
        opened = _grid(db, state.wish)
    with right:
        detail.show(db, user, opened)
    with middle:
        keeping.show(db, user, state.wish)
        many.show(db, user, state.wish)


def _grid(db: Database, shown: Wish) -> sampled.Chosen | None:
    """One page of images, and the way to the others."""
    page = _page(shown)
    chosen = sampled.on_page(shown, page)
    with errors.shown():
        encoded = sampled.pictures(db, shown, page, chosen)
    with st.container(height=HEIGHT_PX, border=False, key="gallery_grid"):
        opened = sampled.show_grid(chosen, encoded)
    first = page * sampled.PAGE + 1
    st.caption(
        f"Synthetic {shown.label}, {first:,} to {first + len(chosen) - 1:,} of {shown.count:,}; the number below an "
        "image is its seed. Not patients' tissue."
    )
    return opened


def _page(shown: Wish) -> int:
    count = sampled.pages(shown)
    if count == 1:
        return 0
    state = st.session_state
    state[sampled.PAGE_NUMBER] = min(max(int(state.get(sampled.PAGE_NUMBER, 1)), 1), count)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="gallery_pages"):
        number = st.number_input(f"Page (1 to {count})", 1, count, key=sampled.PAGE_NUMBER, width=160)
    return int(number) - 1
