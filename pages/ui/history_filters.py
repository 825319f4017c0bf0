"""What part of the history to show."""

from datetime import date

import streamlit as st

from core.history import HistoryQuery, HistorySort
from core.labels import CLASSES, INSUFFICIENT, NOT_SCORED, Marker

PAGE = 20
ANY = "any"
SORTS = {
    HistorySort.NEWEST: "newest first",
    HistorySort.OLDEST: "oldest first",
    HistorySort.NAME: "file name",
    HistorySort.OUTCOME: "score",
    HistorySort.CONFIDENCE: "least confident first",
}


def query() -> HistoryQuery:
    """Search box, marker, score, date, and two switches; the page of the list comes later."""
    text = st.text_input(
        "Search",
        type="search",
        key="history_text",
        placeholder="File name, score or comment",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", key="history_filters"):
        marker = st.selectbox(
            "Marker",
            [None, *Marker],
            format_func=lambda each: each.title if each else ANY,
            key="history_marker",
            width=110,
        )
        scores = CLASSES[marker] if marker else [each for row in CLASSES.values() for each in row]
        score = st.selectbox("Score", [ANY, *scores, INSUFFICIENT, NOT_SCORED], key="history_score", width=150)
        days = st.date_input("Date", value=[], key="history_date", format="YYYY-MM-DD", width=240)
        sort = st.selectbox("Sort", list(SORTS), format_func=SORTS.__getitem__, key="history_sort", width=190)
        disagrees = st.toggle("Disagrees with me", key="history_disagrees")
        virtual = st.toggle("Virtual", key="history_virtual", help="Scored on virtual IHC made from H&E")
    first, last = _span(days)
    return HistoryQuery(
        text=text or "",
        marker=marker,
        outcome=None if score == ANY else score,
        date_from=first,
        date_to=last,
        disagrees=True if disagrees else None,
        virtual=True if virtual else None,
        sort=sort,
        limit=PAGE,
    )


def asks_nothing(query: HistoryQuery) -> bool:
    """Whether the whole history is asked for."""
    return query == HistoryQuery(sort=query.sort, limit=query.limit)


def _span(days: object) -> tuple[date | None, date | None]:
    """First and last day; one day alone is a start."""
    chosen = [day for day in days if isinstance(day, date)] if isinstance(days, list | tuple) else []
    return (chosen[0] if chosen else None, chosen[1] if len(chosen) > 1 else None)
