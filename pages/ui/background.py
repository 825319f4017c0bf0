"""Work of a page that takes longer than a moment: it goes on when the page is left, and can be cancelled.

background.start(owner, "stain", "12 images", work)     # work: (progress) -> result
task = background.find(owner, "stain")
if task is not None and background.waits(task):         # bar and Cancel; the page runs again when it is done
    st.stop()
result = background.result_of(task, Stained)            # None where it failed: the reason is on the page
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from core.errors import CancelledError
from core.types import Progress
from pages.ui import errors
from pages.ui.jobs import Jobs, Task

REFRESH_S = 0.5
TIME_LEFT_AFTER_S = 5.0

STOPPED = "This stopped unexpectedly. Try again; if it happens again, tell the administrator what you did."

Result = TypeVar("Result")


@dataclass(kw_only=True)
class Background(Task):
    """Work of one kind for one owner; a new one takes the place of the former.

    Attributes:
        kind: which part of which page it belongs to.
        result: what the work returned; None until it is done.
    """

    kind: str
    result: object = None


def start(owner: str, kind: str, name: str, work: Callable[[Progress], object]) -> Background:
    """Start work in a thread that touches no widget.

    Args:
        owner: whose it is (`pages.ui.workspace.Workspace.owner`).
        name: what is worked on, in the user's words.
        work: is given `progress`, which raises CancelledError once the user cancelled; returns the result.
    """
    discard(owner, kind)

    def run(task: Background, progress: Progress) -> None:
        task.result = work(progress)

    return all_background().start(Background(owner=owner, kind=kind, name=name), run)


def find(owner: str, kind: str) -> Background | None:
    """Return the owner's work of this kind, running or done; None where there is none."""
    return next((task for task in all_background().of(owner) if task.kind == kind), None)


def discard(owner: str, kind: str) -> None:
    """Cancel and forget the owner's work of this kind."""
    task = find(owner, kind)
    if task is not None:
        task.stop.set()
        all_background().collect(task)


def waits(task: Background) -> bool:
    """Show how far the work is, with Cancel, and return True; return False where it is done."""
    if task.done.is_set():
        return False
    _bar(task)
    return True


def result_of(task: Background, kind: type[Result]) -> Result | None:
    """Return what finished work returned; where it failed or was cancelled, show why and return None."""
    if isinstance(task.error, CancelledError):
        st.info(str(task.error), icon=":material/close:")
    elif task.error is not None:
        errors.show(task.error)
    elif isinstance(task.result, kind):
        return task.result
    else:
        st.error(STOPPED, icon=":material/error:")
    return None


@st.fragment(run_every=REFRESH_S)
def _bar(task: Background) -> None:
    if task.done.is_set():
        st.rerun()
    st.progress(task.share, text=_words(task))
    st.button("Cancel", icon=":material/close:", key=f"cancel-{task.kind}", on_click=task.stop.set)


def _words(task: Background) -> str:
    """ "12 images: staining, 40 %, about 12 s left"."""
    if task.stop.is_set():
        return f"Cancelling after this step: {task.step}"
    words = f"{task.name}: {task.step}"
    if task.share:
        words += f", {task.share:.0%}"
    if task.seconds > TIME_LEFT_AFTER_S and task.share > 0.02:
        words += f", about {task.seconds * (1 - task.share) / task.share:.0f} s left"
    return words


@st.cache_resource(show_spinner=False)
def all_background() -> Jobs[Background]:
    """All such work of this process."""
    return Jobs("background")
