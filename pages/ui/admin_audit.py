"""The audit log: who did what, and when."""

from datetime import date

import streamlit as st

from core import history
from core.db.audit import audit_actions, list_audit
from core.db.engine import Database
from core.db.records import AuditQuery, User
from pages.ui import errors, times

SHOWN = 500
ANY = "any"


def show(db: Database, actor: User) -> None:
    """Filter, table, CSV."""
    with errors.shown():
        actions = audit_actions(db, actor)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", type="search", key="audit_text", placeholder="User, action, address")
        action = st.selectbox("Action", [ANY, *actions], key="audit_action", width=220)
        days = st.date_input("Date", value=[], key="audit_date", format="YYYY-MM-DD", width=240)
    chosen = [day for day in days if isinstance(day, date)] if isinstance(days, list | tuple) else []
    query = AuditQuery(
        text=text or "",
        action=None if action == ANY else action,
        date_from=chosen[0] if chosen else None,
        date_to=chosen[1] if len(chosen) > 1 else None,
        limit=SHOWN,
    )
    with errors.shown():
        rows = list_audit(db, actor, query)
    st.download_button(
        "CSV",
        lambda: history.audit_csv(rows).encode(),
        "audit-log.csv",
        "text/csv",
        icon=":material/table_view:",
        key="audit_csv",
        on_click="ignore",
        disabled=not rows,
    )
    st.dataframe(
        {
            "When": [times.local(row.at) for row in rows],
            "Who": [row.user_name or "nobody signed in" for row in rows],
            "What": [row.action for row in rows],
            "Detail": [row.detail for row in rows],
            "Address": [row.address for row in rows],
        },
        hide_index=True,
        key="audit_table",
    )
    if len(rows) == SHOWN:
        st.caption(f"The newest {SHOWN} are shown. Narrow the search for older ones.")
