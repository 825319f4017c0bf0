"""The parts of a study on the screen: gains with their intervals, the table, what passed the filter."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.reports.content import percent
from core.training.study.table import p_text, points, title_of
from pages.ui.training_charts import GREY, PALETTE, chart, colour, ranges

PUBLISHED = "The published run accepted 14.6 %."


def gains(arms: Sequence[Mapping[str, Any]], classes: Sequence[str], *, key: str) -> None:
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


def table(arms: Sequence[Mapping[str, Any]], classes: Sequence[str], *, key: str) -> None:
    tested = [bool(arm["ratio"]) for arm in arms]
    columns: dict[str, list[str]] = {
        "Trained on": [title_of(arm) for arm in arms],
        "Synthetic": [f"{arm['synthetic']:.0f}" for arm in arms],
        "Balanced accuracy": [f"{100 * arm['balanced']['value']:.1f} %" for arm in arms],
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


def filters(found: Sequence[Mapping[str, Any]], *, key: str) -> None:
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


def _share(share: float) -> str:
    return "" if share == 1 else f", {percent(share)} of the tiles"
