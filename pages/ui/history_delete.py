"""Delete with a question before it and ten seconds to take it back."""

import time
from collections.abc import Sequence

import streamlit as st

from core import history
from core.db.engine import Database
from core.db.records import User
from core.history import HistoryRow
from pages.ui import errors

UNDO_S = 10
STATE = "history_deleted"


def ask(rows: Sequence[HistoryRow], db: Database, user: User) -> None:
    """Ask in a dialog; nothing is deleted before the answer."""

    @st.dialog(f"Delete {_count(len(rows))}?", icon=":material/delete:")
    def dialog() -> None:
        st.markdown("Result, pictures, your score and comment are removed.")
        for row in rows[:5]:
            st.caption(f"{row.marker.title} {row.outcome} · {row.name[:60]}".replace("$", "\\$"))
        if len(rows) > 5:
            st.caption(f"and {len(rows) - 5} more")
        with st.container(horizontal=True):
            if st.button(
                "Delete",
                type="primary",
                icon=":material/delete:",
                key="confirm_delete",
                on_click=_delete,
                args=([row.id for row in rows], db, user),
            ):
                st.rerun()
            if st.button("Keep", key="cancel_delete"):
                st.rerun()

    dialog()


def _delete(ids: list[str], db: Database, user: User) -> None:
    with errors.shown(stop=False):
        history.delete(db, user, ids)
        st.session_state[STATE] = (ids, time.monotonic())


def offer_undo(db: Database, user: User) -> None:
    """For ten seconds after a deletion, a line with Undo and the seconds left."""
    if STATE in st.session_state:
        _undo_line(db, user)


@st.fragment(run_every=1.0)
def _undo_line(db: Database, user: User) -> None:
    if STATE not in st.session_state:
        return
    ids, since = st.session_state[STATE]
    left = UNDO_S - (time.monotonic() - since)
    if left <= 0:
        del st.session_state[STATE]
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="undo_line"):
        st.markdown(f"{_count(len(ids))} deleted.")
        if st.button(f"Undo ({left:.0f} s)", icon=":material/undo:", key="undo"):
            with errors.shown():
                history.undo_delete(db, user, ids)
            del st.session_state[STATE]
            st.rerun()


def _count(number: int) -> str:
    return "1 analysis" if number == 1 else f"{number} analyses"
