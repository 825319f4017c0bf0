"""Run the same image once more, as the options are now."""

from dataclasses import replace

import streamlit as st

from core.db.records import User
from core.types import Options
from pages.ui import guard, rounds
from pages.ui.workspace import Opened, Workspace


def show(opened: Opened, space: Workspace, options: Options, user: User) -> None:
    """The button stands out where the options differ from those of the result."""
    if not opened.data:
        return
    changed = opened.options is not None and _asked(opened.options) != _asked(options)
    if changed:
        st.caption("The options were changed after this result.")
    st.button(
        "Run again with these options" if changed else "Run again",
        icon=":material/replay:",
        type="primary" if changed else "secondary",
        key="run_again",
        on_click=lambda: rounds.run_again(space, opened, options, user, guard.database()),
    )


def _asked(options: Options) -> Options:
    """The options without the explanation, which is chosen under the picture."""
    default = Options()
    return replace(options, target=default.target, cam_method=default.cam_method)
