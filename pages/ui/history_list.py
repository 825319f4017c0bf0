"""The list of stored analyses: one line each, with a box to select it and a button to open it."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import history
from core.db.engine import Database
from core.db.records import User
from core.errors import AppError
from core.history import HistoryQuery, HistoryRow
from core.labels import StainSource
from core.reports.bundle import results_zip
from core.reports.content import OwnEntry, percent
from pages.ui import times

THUMBNAIL_PX = 72
EXPORT_LIMIT = 100_000


def show(rows: Sequence[HistoryRow], db: Database, user: User) -> None:
    """Show the lines of one page of the list."""
    for row in rows:
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", gap="medium", key=f"entry-{row.id}"
        ):
            st.checkbox(f"Select {row.name}", key=_pick(row), label_visibility="collapsed", width="content")
            picture = _thumbnail(db, user, row.id)
            if picture:
                st.image(picture, width=THUMBNAIL_PX, alt=f"Thumbnail of {row.name}")
            with st.container(gap="xxsmall", width=150):
                st.markdown(f"{row.marker.title} **{row.outcome}**")
                st.caption(f"confidence {percent(row.confidence)}" if row.confidence is not None else "not scored")
            with st.container(gap="xxsmall", width="stretch"):
                st.markdown(_plain(row.name))
                st.caption(_details(row))
                _own(row)
            if st.button("Open result", key=f"open-{row.id}", icon=":material/open_in_new:"):
                st.switch_page("analyze.py", query_params={"entry": row.id})


def selected(rows: Sequence[HistoryRow]) -> list[HistoryRow]:
    """The lines whose boxes are ticked."""
    return [row for row in rows if st.session_state.get(_pick(row))]


def select_all(rows: Sequence[HistoryRow], chosen: bool) -> None:
    """Tick or clear the boxes of these lines; call it before they are shown."""
    for row in rows:
        st.session_state[_pick(row)] = chosen


def csv(db: Database, user: User, chosen: Sequence[HistoryRow], query: HistoryQuery) -> bytes:
    """The selected lines as CSV, or all that the search found."""
    rows = chosen or history.list_entries(db, user, replace(query, limit=EXPORT_LIMIT, offset=0))
    return history.export_csv(rows).encode()


def reports(db: Database, user: User, chosen: Sequence[HistoryRow]) -> bytes:
    """A ZIP with one PDF for each selected line, and a table of all."""
    opened = [history.load(db, user, row.id) for row in chosen]
    own = [OwnEntry(row.own_score, row.own_comment, user.name) if row.own_at else None for row in chosen]
    adjusted = [history.get_adjustments(db, user, row.id) for row in chosen]
    return results_zip([entry.result for entry in opened], own, adjusted)


def _pick(row: HistoryRow) -> str:
    return f"pick-{row.id}"


def _details(row: HistoryRow) -> str:
    parts = [times.local(row.created), row.stain.title]
    if row.stain_source is StainSource.VIRTUAL:
        parts.append("virtual IHC")
    if row.notices:
        parts.append(f"{len(row.notices)} warning{'s' if len(row.notices) > 1 else ''}")
    return " · ".join(parts)


def _own(row: HistoryRow) -> None:
    if row.own_score is None and not row.own_comment:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if row.own_score is not None:
            color, icon = ("orange", ":material/difference:") if row.disagrees else ("green", ":material/check:")
            words = f"own score {row.own_score}" + (", differs" if row.disagrees else "")
            st.badge(words, color=color, icon=icon)
        if row.own_comment:
            st.caption(_plain(row.own_comment))


def _plain(text: str) -> str:
    """User text as it is: no Markdown, no directives."""
    return "".join(f"\\{each}" if each in "\\`*_{}[]()#+-.!|:~$<>&" else each for each in text)


def _thumbnail(db: Database, user: User, entry_id: str) -> bytes | None:
    try:
        return history.thumbnail(db, user, entry_id)
    except AppError:
        return None  # the line says the rest; opening it says what is missing
