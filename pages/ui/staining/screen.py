"""Virtual staining on one screen: give H&E, see every pair, filter, keep."""

from functools import partial

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.db.settings import get_app_settings
from pages.ui import background, errors
from pages.ui.staining import asking, keeping, opened, results, work
from pages.ui.staining.work import Asked
from pages.ui.workspace import workspace

KIND = "stain"


def show(db: Database, user: User) -> None:
    """Show the screen."""
    owner = workspace(user).owner
    with errors.shown():
        settings = get_app_settings(db)
    asked = asking.show(settings.upload_limit_mb)
    if asked is not None:
        _start(asked, owner, db)
    task = background.find(owner, KIND)
    if task is not None:
        if background.waits(task):
            return
        results.take(task)
        background.discard(owner, KIND)
    found = results.current()
    if found is None:
        st.caption(
            "Nothing stained yet. Drop H&E above and press Stain, or try the sample: a field takes less than a second."
        )
        return
    insisted = results.show_remarks(found)
    if insisted:
        _start(Asked(scale=found.scale, again=insisted), owner, db)
        st.rerun()
    if found.stained:
        chosen = results.show_pairs(found)
        opened.show(chosen, owner, db)
        keeping.show(found, db, user)


def _start(asked: Asked, owner: str, db: Database) -> None:
    files = len(asked.uploads) or len(asked.again)
    name = asked.uploads[0][0] if len(asked.uploads) == 1 else "the sample" if asked.sample else f"{files} images"
    results.remember(asked)
    background.start(owner, KIND, name, partial(work.stain, asked, db))
