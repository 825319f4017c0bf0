"""The pathologist's own score and comment beside the model's answer."""

from datetime import UTC, datetime

import streamlit as st

from core import history
from core.db.records import User
from core.labels import CLASSES
from core.reports.content import OwnEntry, readable_time, report_content
from pages.ui import errors, guard
from pages.ui.workspace import Opened

NO_SCORE = "none"


def show(opened: Opened, user: User) -> None:
    """A small form; what it says is stored at once."""
    own = opened.own or OwnEntry()
    choices = [NO_SCORE, *CLASSES[opened.result.analysis.marker]]
    with st.form("own", border=True):
        left, right = st.columns([1, 2])
        index = choices.index(own.score) if own.score in choices else 0
        score = left.selectbox("Your score", choices, index=index, key=f"own_score-{opened.entry_id}")
        comment = right.text_input(
            "Comment", own.comment, max_chars=history.entries.MAX_COMMENT, key=f"own_comment-{opened.entry_id}"
        )
        if st.form_submit_button("Save your score", icon=":material/save:", key="save_own"):
            _save(opened, user, None if score == NO_SCORE else score, comment or "")
        _show_agreement(opened)


def _save(opened: Opened, user: User, score: str | None, comment: str) -> None:
    with errors.shown(stop=False):
        history.record_own_score(guard.database(), user, opened.entry_id or "", score, comment)
        now = readable_time(datetime.now(UTC).isoformat())
        opened.own = OwnEntry(score, comment, user.name, now)
        st.toast("Your score is saved.", icon=":material/check:")


def _show_agreement(opened: Opened) -> None:
    agreement = report_content(opened.result, opened.own).agreement
    if agreement:
        icon = ":material/check:" if agreement.startswith("agrees") else ":material/difference:"
        st.markdown(f"{icon} Your score {agreement}.")
