"""Two results beside each other."""

from collections.abc import Sequence

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.history import HistoryRow
from core.reports.content import report_content
from pages.ui import bars, errors, viewer
from pages.ui.workspace import open_entry


@st.dialog("Compare", width="large", icon=":material/compare:")
def show(rows: Sequence[HistoryRow], db: Database, user: User) -> None:
    """Score, probabilities and picture of two entries."""
    for column, row in zip(st.columns(2), rows, strict=True):
        with column, errors.shown():
            opened = open_entry(db, user, row.id)
            content = report_content(opened.result, opened.own)
            st.caption(content.name)
            st.metric(content.answer_label, content.answer)
            st.markdown(f"{content.confidence}{', ' + content.alternatives if content.alternatives else ''}")
            bars.show(content, key=f"compare-bars-{row.id}")
            viewer.show(opened.packet, key=f"compare-{row.id}")
