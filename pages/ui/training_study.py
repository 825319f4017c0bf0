"""A study on the screen: its answer, the gains with their intervals, the table, and what passed the filter."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import jobs
from core.jobs import Run
from core.reports.content import percent
from core.training.study.table import as_csv, p_text, points, title_of
from pages.ui import training_words as words
from pages.ui.training_charts import GREY, PALETTE, chart, colour, ranges

LIVE_ROUNDS = 800
"""Drawings of cases and seeds behind the intervals while a study runs; the end takes more."""

PUBLISHED = "The published run accepted 14.6 %."


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
            _gains(table["arms"][1:], evaluation["classes"], key=place)
        _table(table["arms"], evaluation["classes"], key=place)
    if evaluation["shares"]:
        st.download_button(
            "Table as CSV",
            as_csv(evaluation),
            "study.csv",
            icon=":material/download:",
            key=f"{key}-csv",
            on_click="ignore",
        )
    _filters(evaluation["filters"], key=key)
    for note in evaluation["notes"]:
        st.caption(words.plain(note))


def _gains(arms: Sequence[Mapping[str, Any]], classes: Sequence[str], *, key: str) -> None:
    """One chart for the balanced accuracy and one for each class; the line is real images alone."""
    names = [title_of(arm) for arm in arms]
    figures = {"Balanced accuracy": ([arm["balanced_gain"] for arm in arms], PALETTE[0])}
    for place, label in enumerate(classes):
        figures[f"Recall of {label}"] = ([arm["gains"][place] for arm in arms], colour(label, place + 1))
    every = [each[side] for found, _ in figures.values() for each in found for side in ("low", "high")]
    widest = max(0.02, *(abs(each) for each in every)) * 1.1
    with st.grid(3, min_column_width=270):
        for title, (found, shade) in figures.items():
            columns = ([each[side] for each in found] for side in ("value", "low", "high"))
            chart(
                [ranges(names, *columns, [shade] * len(names))],
                title=title,
                x="gain over real images alone",
                y="",
                key=f"{key}-{title}",
                height=150 + 32 * len(names),
                showlegend=False,
                hovermode="closest",
                xaxis={"range": [-widest, widest], "tickformat": "+.0%", "nticks": 6},
                yaxis_autorange="reversed",
                shapes=[{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": GREY}}],
                alt=f"{title}: " + "; ".join(f"{name} {_gain(each)}" for name, each in zip(names, found, strict=True)),
            )


def _table(arms: Sequence[Mapping[str, Any]], classes: Sequence[str], *, key: str) -> None:
    tested = [bool(arm["ratio"]) for arm in arms]
    columns: dict[str, list[str]] = {
        "Trained on": [title_of(arm) for arm in arms],
        "Synthetic": [f"{arm['synthetic']:.0f}" for arm in arms],
        "Balanced accuracy": [percent(arm["balanced"]["value"]) for arm in arms],
        "Gain in points": [_gain(arm["balanced_gain"]) if yes else "" for arm, yes in zip(arms, tested, strict=True)],
    }
    for place, label in enumerate(classes):
        columns[f"Gain {label}"] = [
            _gain(arm["gains"][place]) if yes else "" for arm, yes in zip(arms, tested, strict=True)
        ]
    columns["Better in"] = [
        f"{arm['better']} of {arm['pairs']}" if yes else "" for arm, yes in zip(arms, tested, strict=True)
    ]
    columns["p (pairs)"] = [p_text(arm["p_holm"]) for arm in arms]
    columns["p (cases)"] = [p_text(arm["p_cases_holm"]) for arm in arms]
    st.dataframe(
        columns, hide_index=True, key=f"{key}-table", column_config={"Trained on": st.column_config.Column(pinned=True)}
    )
    st.caption(
        f"Beside {arms[0]['real']:.0f} real tiles a fold. Gains in percentage points with 95 % intervals, from drawing "
        "cases and seeds again; p values are two-sided and corrected for the number of comparisons (Holm)."
    )


def _filters(found: Sequence[Mapping[str, Any]], *, key: str) -> None:
    if not found:
        return
    drawn, accepted = (sum(each[name] for each in found) for name in ("drawn", "accepted"))
    st.markdown("**What passed the quality filter**")
    st.caption(f"{accepted:,} of {drawn:,} synthetic images: {percent(accepted / max(drawn, 1))}. {PUBLISHED}")
    reasons = sorted({reason for each in found for reason in each["every"]})
    rows: dict[str, list[str]] = {"Fold": [f"{each['fold'] + 1}{_share(each['share'])}" for each in found]}
    rows["Drawn"] = [f"{each['drawn']:,}" for each in found]
    rows["Accepted"] = [percent(each["accepted"] / max(each["drawn"], 1)) for each in found]
    for reason in reasons:
        rows[reason.capitalize()] = [f"{each['every'].get(reason, 0):,}" for each in found]
    st.dataframe(rows, hide_index=True, key=f"{key}-filters")


def _gain(found: Mapping[str, float]) -> str:
    return f"{points(found['value'])} ({points(found['low'])} to {points(found['high'])})"


def _of(share: float) -> str:
    return "" if share == 1 else f"{percent(share)} of the real tiles: "


def _share(share: float) -> str:
    return "" if share == 1 else f", {percent(share)} of the tiles"


@st.cache_data(max_entries=20, show_spinner=False)
def _compared(run_id: str, count: int, _config: Any, _lines: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG001
    """The comparison of a run with so many parts done."""
    from core.training.study.results import evaluate_study

    return evaluate_study(_config, _lines, rounds=LIVE_ROUNDS)
