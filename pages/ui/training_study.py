"""A study on the screen: its answer, what it has so far while it runs, and all its parts."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import jobs
from core.jobs import Run
from core.reports.content import percent
from core.training.study.table import as_csv
from pages.ui import training_study_parts
from pages.ui import training_words as words

LIVE_ROUNDS = 800
"""Drawings of cases and seeds behind the intervals while a study runs; the end takes more."""


def so_far(run: Run) -> dict[str, Any] | None:
    """What the parts that are done say; None before anything can be compared."""
    from core.training.study.results import read_lines

    lines = list(read_lines(run.folder).values())
    found = _compared(run.id, len(lines), jobs.config_of(run.folder), lines) if lines else None
    return found if found is not None and (found["shares"] or found["filters"]) else None


def live(run: Run) -> None:
    """The table as it fills in, and what is done now."""
    st.caption(words.plain(run.folder.status().message.capitalize()))
    found = so_far(run)
    if found is None:
        st.caption("Generators come first; the table fills in with the first classifiers.")
        return
    show(found, key=f"study-{run.id}")


def headline(evaluation: Mapping[str, Any]) -> None:
    """The answer, for each share of the real tiles."""
    for table in evaluation["shares"]:
        st.info(f"{_of(table['share'])}**{words.plain(table['answer'])}**", icon=":material/balance:")
    cases, tiles = evaluation["cases"], evaluation.get("test_tiles", 0)
    st.caption(
        f"Tested on {tiles:,} real tiles of {cases} cases in {evaluation['folds']} folds, "
        f"{evaluation['seeds']} seeds: {evaluation['done']} of {evaluation['parts']} parts done."
    )


def show(evaluation: Mapping[str, Any], *, key: str) -> None:
    """Gains as charts, the table, what the filter did, and what the figures do not say."""
    for table in evaluation["shares"]:
        if len(evaluation["shares"]) > 1:
            st.markdown(f"**{percent(table['share'])} of the real training tiles**")
        place = f"{key}-{table['share']:g}"
        if len(table["arms"]) > 1:
            training_study_parts.gains(table["arms"][1:], evaluation["classes"], key=place)
        training_study_parts.table(table["arms"], evaluation["classes"], key=place)
    if evaluation["shares"]:
        st.download_button(
            "Table as CSV",
            as_csv(evaluation),
            "study.csv",
            icon=":material/download:",
            key=f"{key}-csv",
            on_click="ignore",
        )
    training_study_parts.filters(evaluation["filters"], key=key)
    for note in evaluation["notes"]:
        st.caption(words.plain(note))


def _of(share: float) -> str:
    return "" if share == 1 else f"{percent(share)} of the real tiles: "


@st.cache_data(max_entries=20, show_spinner=False)
def _compared(run_id: str, count: int, _config: Any, _lines: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG001
    """The comparison of a run with so many parts done."""
    from core.training.study.results import evaluate_study

    return evaluate_study(_config, _lines, rounds=LIVE_ROUNDS)
