"""The user's own analyses: search, filter, open, select, export, delete."""

from dataclasses import replace

import streamlit as st

from core import history
from pages.ui import compare, errors, guard, history_delete, history_filters, history_list

user = guard.require_role(*guard.MEMBERS)
db = guard.database()

st.title("History")
history_delete.offer_undo(db, user)
query = history_filters.query()
with errors.shown():
    total = history.count_entries(db, user, query)
    pages = max(1, -(-total // query.limit))
    page = min(st.session_state.get("history_page", 1), pages)
    rows = history.list_entries(db, user, replace(query, offset=(page - 1) * query.limit))

if not rows and history_filters.asks_nothing(query):
    st.markdown("No analyses yet. Drop an image on Analyze, or try a sample.")
    st.page_link("analyze.py", label="Analyze an image", icon=":material/biotech:")
    st.stop()

chosen = history_list.selected(rows)
with st.container(horizontal=True, vertical_alignment="center", key="history_actions"):
    st.markdown(f"{total} found" + (f", {len(chosen)} selected" if chosen else ""), width="content")
    everything = len(chosen) == len(rows) and bool(rows)
    st.button(
        "Select none" if everything else "Select all",
        icon=":material/select_all:",
        key="select_all",
        on_click=history_list.select_all,
        args=(rows, not everything),
        disabled=not rows,
    )
    st.download_button(
        "CSV of the selected" if chosen else "CSV of all found",
        lambda: history_list.csv(db, user, chosen, query),
        "history.csv",
        "text/csv",
        icon=":material/table_view:",
        key="history_csv",
        on_click="ignore",
        disabled=not rows,
    )
    if chosen:
        st.download_button(
            "PDF of the selected",
            lambda: history_list.reports(db, user, chosen),
            "reports.zip",
            "application/zip",
            icon=":material/picture_as_pdf:",
            key="history_pdf",
            on_click="ignore",
        )
        if len(chosen) == 2 and st.button("Compare", icon=":material/compare:", key="compare"):
            compare.show(chosen, db, user)
        if st.button("Delete", icon=":material/delete:", key="delete"):
            history_delete.ask(chosen, db, user)

if not rows:
    st.caption("Nothing fits this search. Change the words or the filters.")
history_list.show(rows, db, user)
if pages > 1:
    st.pagination(pages, key="history_page")
