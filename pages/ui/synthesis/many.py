"""Thousands of images in the background: into a collection, or as a ZIP on the disk."""

from dataclasses import dataclass
from urllib.parse import quote

import streamlit as st

from core import collections
from core.db.engine import Database
from core.db.records import User
from core.errors import CancelledError
from core.types import Progress
from pages.ui import background, errors
from pages.ui.synthesis import generators, sampled
from pages.ui.synthesis.keeping import collection_named
from pages.ui.synthesis.wish import Wish
from pages.ui.workspace import workspace

KIND, NAME, PLACE, MEASURE = "synthesis-many", "many_name", "many_place", "many_measure"
COLLECTION, DISK = "Into a collection", "As ZIP on the disk"


@dataclass(frozen=True)
class Made:
    """What was done, and where the browser fetches it; empty where it is in a collection."""

    words: str
    address: str = ""


def show(db: Database, user: User, wish: Wish) -> None:
    """The whole gallery at once, where it has more than a page."""
    owner = workspace(user).owner
    task = background.find(owner, KIND)
    if task is not None:
        if background.waits(task):
            return
        if isinstance(task.error, CancelledError):
            st.info(str(task.error), icon=":material/close:")  # how much of it is kept
        elif (made := background.result_of(task, Made)) is not None:
            st.success(made.words, icon=":material/check:")
            if made.address:
                st.link_button("Download", made.address, icon=":material/download:")
        if st.button("Close", key="many_close", icon=":material/close:"):
            background.discard(owner, KIND)
            st.rerun()
        return
    if wish.count > sampled.PAGE:
        _form(db, user, owner, wish)


def _form(db: Database, user: User, owner: str, wish: Wish) -> None:
    with st.expander(f"All {wish.count:,} images", icon=":material/stacks:", key="many"):
        place = st.segmented_control("Where to", [COLLECTION, DISK], default=COLLECTION, key=PLACE, required=True)
        suggested = f"{wish.label} from seed {wish.seed}"
        name = st.text_input("Name", suggested, key=f"{NAME}-{suggested}", max_chars=80)
        measure = st.checkbox(
            "Measure every image",
            True,
            key=MEASURE,
            help="Class, sharpness, nearest training image, in the manifest; takes longer.",
        )
        kept = "what is whole by then is kept" if place == COLLECTION else "nothing is left behind"
        st.caption(f"Goes on while you use other pages. If you cancel, {kept}.")
        if st.button(f"Generate {wish.count:,} images", icon=":material/play_arrow:", key="many_start"):
            with errors.shown(stop=False):
                _start(db, user, owner, wish, name, measure, into=str(place))
                st.rerun()


def _start(db: Database, user: User, owner: str, wish: Wish, name: str, measure: bool, *, into: str) -> None:
    collection = collection_named(user, name) if into == COLLECTION else None
    specs = sampled.all_of(wish)

    def work(progress: Progress) -> Made:
        from core.synthetic_export import zip_on_disk
        from core.synthetic_images import iter_kept

        items = iter_kept(generators.engine_of(db, wish.weights), wish.weights.model, specs, measure=measure)
        if collection is None:
            path = zip_on_disk(user.id, name, items, total=len(specs), progress=progress)
            words = f"{len(specs):,} images lie in {path} on the server ({path.stat().st_size / 1e6:,.0f} MB)."
            return Made(words, f"/api/sample/exports/{quote(path.name)}")
        added = collections.add_images(user, collection.id, items, progress=progress, total=len(specs))
        return Made(f'{added.added:,} images are kept in "{collection.name}".')

    background.start(owner, KIND, f"{wish.count:,} images", work)
