"""Work of the Training page that takes longer than a moment: it runs in a thread, survives leaving the page, shows its
step and can be cancelled."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st

from core.errors import AppError, CancelledError
from core.types import Progress
from pages.ui import errors
from pages.ui import training_words as words

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
STATE = "training_work"
POLL_S = 0.4
CANCEL_AFTER_S = 4.0
TIME_LEFT_AFTER_S = 10.0


@dataclass
class Piece(Generic[Answer]):
    """One piece of work of one browser tab.

    Attributes:
        answer: what came of it; None while it runs, and where it ended with `error`.
    """

    words: str
    share: float = 0.0
    started: float = field(default_factory=time.monotonic)
    answer: Answer | None = None
    error: AppError | None = None
    done: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def progress(self, step: str, done: int, total: int) -> None:
        """Note how far the work is; ends it where the user cancelled."""
        if self.stop.is_set():
            raise CancelledError("Cancelled. Nothing was changed.")
        self.share = min(1.0, done / total) if total else 0.0
        counted = f": {done} of {total}" if total > 1 else ""
        self.words = f"{step[:1].upper()}{step[1:]}{counted}"

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started


def start(name: str, first_words: str, work: Callable[[Progress], Answer]) -> Piece[Answer]:
    """Begin a piece of work, in the place of a former one of that name."""
    piece: Piece[Answer] = Piece(first_words)
    forget(name)
    _pieces()[name] = piece
    _pool().submit(_run, piece, work).add_done_callback(_log)
    return piece


def find(name: str) -> Piece[Any] | None:
    """The piece of work of that name, running or done."""
    return _pieces().get(name)


def forget(name: str) -> None:
    """Cancel it where it runs, and forget what came of it."""
    former = _pieces().pop(name, None)
    if former is not None:
        former.stop.set()


def once(name: str, first_words: str, work: Callable[[Progress], Answer]) -> Answer | None:
    """What came of the work, begun now where it was not yet; None while its progress, or its error, is shown."""
    piece = find(name) or start(name, first_words, work)
    piece.done.wait(0.3)  # most is done at once: no bar that only flickers
    if not piece.done.is_set():
        waiting(name)
        return None
    if piece.error is not None:
        errors.show(piece.error)
        st.button("Try again", icon=":material/replay:", key=f"again-{name}", on_click=forget, args=(name,))
        return None
    return piece.answer


def waiting(name: str) -> None:
    """Step, bar, time left and Cancel; the page goes on when the work is done."""

    @st.fragment(run_every=POLL_S)
    def bar() -> None:
        piece = find(name)
        if piece is None or piece.done.is_set():
            st.rerun()
        left = ""
        if piece.seconds > TIME_LEFT_AFTER_S and piece.share > 0.03:
            left = f" · about {words.duration(piece.seconds * (1 - piece.share) / piece.share)} left"
        st.progress(piece.share, text="Cancelling..." if piece.stop.is_set() else piece.words + left)
        if piece.seconds > CANCEL_AFTER_S:
            st.button("Cancel", icon=":material/close:", key=f"cancel-{name}", on_click=piece.stop.set)

    bar()


def _pieces() -> dict[str, Piece[Any]]:
    pieces: dict[str, Piece[Any]] = st.session_state.setdefault(STATE, {})
    return pieces


@st.cache_resource(show_spinner=False)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, thread_name_prefix="training-page")


def _run(piece: Piece[Answer], work: Callable[[Progress], Answer]) -> None:
    try:
        piece.answer = work(piece.progress)
    except AppError as error:
        piece.error = error
    finally:
        if piece.answer is None and piece.error is None:
            piece.error = AppError("This stopped unexpectedly. Try again; the server's log says more.")
        piece.done.set()


def _log(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        logger.error("work of the training page stopped unexpectedly", exc_info=error)
