"""Several files at once: the table that fills row by row, and ZIP and CSV of all."""

from functools import partial

import streamlit as st

from core import history
from core.db.records import User
from core.reports.bundle import results_zip
from core.reports.tables import results_csv
from core.types import Result
from pages.ui import errors, guard, rounds
from pages.ui.workspace import Row, Workspace


def show(space: Workspace, user: User) -> None:
    """One row a file; a click opens it below."""
    columns = {
        "": [row.thumbnail or None for row in space.rows],
        "File": [row.name for row in space.rows],
        "Score": [row.outcome or _state(row) for row in space.rows],
        "Confidence": [None if row.confidence is None else round(row.confidence, 2) for row in space.rows],
        "Warnings": [row.warnings or None for row in space.rows],
        "Remark": [row.problem for row in space.rows],
    }
    chosen = st.dataframe(
        columns,
        hide_index=True,
        row_height=52,
        column_config={
            "": st.column_config.ImageColumn(width="small"),
            "Confidence": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
        },
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        key=f"files-{space.round}",
    )
    for index in chosen["selection"]["rows"]:
        row = space.rows[index] if index < len(space.rows) else None
        if row is not None and row.job is None and (space.opened is None or space.opened.row_id != row.id):
            with errors.shown(stop=False):
                rounds.open_row(space, row, user, guard.database())
    _downloads(space, user)


def _state(row: Row) -> str:
    if row.job is None:
        return "not analysed"
    return row.job.step


def _downloads(space: Workspace, user: User) -> None:
    done = [row for row in space.rows if row.job is None and row.outcome]
    with st.container(horizontal=True, key="downloads_all"):
        st.download_button(
            "CSV of all",
            partial(_csv, done, user),
            "results.csv",
            "text/csv",
            key="download_all_csv",
            icon=":material/table_view:",
            on_click="ignore",
            disabled=not done,
        )
        st.download_button(
            "ZIP of all reports",
            partial(_zip, done, user),
            "results.zip",
            "application/zip",
            key="download_all_zip",
            icon=":material/folder_zip:",
            on_click="ignore",
            disabled=not done,
        )


def _results(rows: list[Row], user: User) -> list[Result]:
    db = guard.database()
    stored = [history.load(db, user, row.entry_id).result for row in rows if row.entry_id is not None]
    return [*stored, *(row.result for row in rows if row.result is not None)]


def _csv(rows: list[Row], user: User) -> str:
    return results_csv([result.analysis for result in _results(rows, user)])


def _zip(rows: list[Row], user: User) -> bytes:
    db, results = guard.database(), _results(rows, user)
    stored = [history.get_adjustments(db, user, row.entry_id) for row in rows if row.entry_id is not None]
    return results_zip(results, adjusted=stored + [None] * (len(results) - len(stored)))
