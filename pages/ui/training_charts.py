"""The look that all charts of the Training page share: plotly figures that follow the theme."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.explain.overlay import CLASS_COLOURS

PALETTE = ("#0f7f98", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7b5ea7", "#8a8a8a")
"""For lines, safe for colour-blind people (after Okabe and Ito 2008); the legend says which is which."""

HEIGHT_PX = 300
CONFIG = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False}
SHADES = [[0, "rgba(15,127,152,0.06)"], [1, "rgba(15,110,132,1)"]]
UNIT_SQUARE: dict[str, Any] = {"xaxis_range": [-0.02, 1.02], "yaxis_range": [-0.02, 1.02], "hovermode": "closest"}
"""Layout of a chart of shares against shares."""

GREY = "rgba(128,128,128,0.7)"


def colour(label: str, index: int) -> str:
    """Of a class where it has one of its own, else by its place."""
    if label in CLASS_COLOURS:
        return "rgb({}, {}, {})".format(*CLASS_COLOURS[label])
    return PALETTE[index % len(PALETTE)]


def line(
    name: str, x: Sequence[float], y: Sequence[float], colour: str, *, marks: bool = True, **style: Any
) -> go.Scatter:
    """A line with a legend entry; few points are marked."""
    return go.Scatter(
        x=list(x),
        y=list(y),
        name=name,
        mode="lines+markers" if marks and len(x) < 40 else "lines",
        line={"color": colour, "width": 2} | style,
        marker={"size": 5},
        hovertemplate="%{y:.4g}<extra>%{fullData.name}</extra>",
    )


def diagonal(name: str) -> go.Scatter:
    """What chance, or a perfect calibration, looks like."""
    return go.Scatter(
        x=[0, 1], y=[0, 1], name=name, mode="lines", hoverinfo="skip", line={"color": GREY, "dash": "dot", "width": 1}
    )


def ranges(
    labels: Sequence[str],
    values: Sequence[float | None],
    lows: Sequence[float | None],
    highs: Sequence[float | None],
    colours: Sequence[str],
) -> go.Scatter:
    """A point with its interval for every label, lying."""
    known = [0.0 if value is None else value for value in values]
    return go.Scatter(
        x=list(values),
        y=list(labels),
        mode="markers",
        marker={"size": 11, "color": list(colours)},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, (at if high is None else high) - at) for high, at in zip(highs, known, strict=True)],
            "arrayminus": [max(0.0, at - (at if low is None else low)) for low, at in zip(lows, known, strict=True)],
            "color": GREY,
            "thickness": 2,
            "width": 6,
        },
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )


def heat_map(counts: Sequence[Sequence[int]], labels: Sequence[str], *, title: str, key: str) -> None:
    """A confusion matrix: rows are the truth, colour is the share of the row, the text says count and share."""
    shares = [[each / max(sum(row), 1) for each in row] for row in counts]
    cells = [
        {
            "x": column,
            "y": place,
            "text": f"<b>{count}</b><br>{100 * shares[place][column]:.0f} %",
            "showarrow": False,
            "font": {"size": 13} | ({"color": "white"} if shares[place][column] > 0.55 else {}),
        }
        for place, row in enumerate(counts)
        for column, count in enumerate(row)
    ]
    trace = go.Heatmap(z=shares, colorscale=SHADES, zmin=0, zmax=1, showscale=False, xgap=2, ygap=2, hoverinfo="skip")
    ticks = {"tickvals": list(range(len(labels))), "ticktext": list(labels), "showgrid": False, "zeroline": False}
    chart(
        [trace],
        title=title,
        x="read as",
        y="truth",
        key=key,
        annotations=cells,
        xaxis=ticks,
        yaxis=ticks | {"autorange": "reversed"},
        hovermode=False,
        alt=f"{title}: " + "; ".join(f"{label}: {list(row)}" for label, row in zip(labels, counts, strict=True)),
    )


def chart(
    traces: Sequence[go.Scatter | go.Heatmap | go.Bar],
    *,
    title: str,
    x: str,
    y: str,
    key: str,
    alt: str = "",
    height: int = HEIGHT_PX,
    **layout: Any,
) -> None:
    """Draw traces with a title and named axes; the legend is below, where a phone has room for it."""
    figure = go.Figure(list(traces))
    figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0, "xanchor": "left"},
        height=height,
        margin={"l": 8, "r": 8, "t": 40, "b": 12},
        legend={"orientation": "h", "yanchor": "top", "y": -0.3, "x": 0, "font": {"size": 12}},
        hovermode="x unified",
        uirevision=key,  # what was zoomed stays so when new points come
    )
    figure.update_xaxes(title={"text": x, "standoff": 14}, automargin=True)
    figure.update_yaxes(title={"text": y, "standoff": 14}, automargin=True)
    if x == "epoch":
        last = max((trace.x[-1] for trace in traces if len(trace.x)), default=0)
        figure.update_xaxes(rangemode="tozero", dtick=1 if last <= 12 else None)
    figure.update_layout(**layout)
    st.plotly_chart(figure, key=key, config=CONFIG, alt=alt or title)
