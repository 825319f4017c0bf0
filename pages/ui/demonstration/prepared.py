"""What a step of the tour shows: made once in the background, kept for this browser tab alone."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from core.db.records import User
from core.types import Progress
from pages.ui import background
from pages.ui.workspace import workspace

Result = TypeVar("Result")


def prepared(user: User, key: str, name: str, kind: type[Result], work: Callable[[Progress], Result]) -> Result | None:
    """Return what `work` returns; while it runs show how far it is, where it failed why, and return None."""
    state, task_kind = f"tour-{key}", f"tour-{key}"
    known = st.session_state.get(state)
    if isinstance(known, kind):
        return known
    owner = workspace(user).owner
    task = background.find(owner, task_kind) or background.start(owner, task_kind, name, work)
    if background.waits(task):
        return None
    found = background.result_of(task, kind)
    if found is None:
        st.button(
            "Try again",
            icon=":material/replay:",
            key=f"again-{key}",
            on_click=background.discard,
            args=(owner, task_kind),
        )
        return None
    st.session_state[state] = found
    background.discard(owner, task_kind)
    return found


def forget(user: User, key: str) -> None:
    """Make it anew when it is shown next."""
    st.session_state.pop(f"tour-{key}", None)
    background.discard(workspace(user).owner, f"tour-{key}")


def stop_all(user: User) -> None:
    """Cancel what the tour still works on for this user: the next step shall not wait for it."""
    owner = workspace(user).owner
    for task in background.all_background().of(owner):
        if task.kind.startswith("tour-") and not task.done.is_set():
            background.discard(owner, task.kind)
