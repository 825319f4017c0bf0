"""Histogram of the stain of the nuclei, by class, with the thresholds."""

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from core.quantify.adjusted import class_names
from core.quantify.grading import GRADES
from core.quantify.membrane import MEMBRANE_THRESHOLDS
from core.quantify.outline_picture import CLASS_COLOURS
from core.types import Nuclei, Thresholds
from pages.ui.training_charts import GREY, chart

BINS = 48
HEIGHT_PX = 270


def show(nuclei: Nuclei, classes: npt.NDArray[np.int8], thresholds: Thresholds) -> None:
    """Counted nuclei by their mean DAB density; of a membrane stain, by the density of the membrane."""
    membranes = nuclei.membranes
    values = nuclei.dab_od if membranes is None else membranes.od
    highest = max(1.0, float(np.quantile(values, 0.999))) if len(values) else 1.0
    edges = np.linspace(0, highest, BINS + 1)
    names = class_names(nuclei)
    counts = {each: np.histogram(np.minimum(values[classes == each], highest), edges)[0] for each in GRADES}
    most = max(int(each.max()) for each in counts.values())
    traces = [_bars(counts[each], edges, names[each], each) for each in GRADES]
    used = MEMBRANE_THRESHOLDS if membranes is not None and thresholds.weak is None else thresholds
    steps = {1: used.weak, 2: used.moderate, 3: used.strong}
    lines = {grade: at for grade, at in steps.items() if at is not None}
    chart(
        traces,
        title="Nuclei by DAB density" if membranes is None else "Cells by membrane density",
        x="mean DAB optical density" if membranes is None else "membrane DAB optical density",
        y="nuclei (log)" if membranes is None else "cells (log)",
        key="density_histogram",
        height=HEIGHT_PX,
        barmode="overlay",
        bargap=0,
        # Unstained nuclei are so many that the others would be a flat line otherwise.
        yaxis={"type": "log", "range": [np.log10(0.6), np.log10(max(most, 10) * 1.4)], "dtick": 1},
        shapes=[_line(at) for at in lines.values()],
        annotations=[_label(names[grade], at) for grade, at in lines.items() if membranes is None],
        xaxis_range=[0, highest],
        legend_y=-0.42,
        alt="Histogram: " + ", ".join(f"{names[each]} {int((classes == each).sum())}" for each in GRADES),
    )


def _bars(counts: npt.NDArray[np.intp], edges: npt.NDArray[np.floating], name: str, grade: int) -> go.Bar:
    return go.Bar(
        x=((edges[1:] + edges[:-1]) / 2).round(3).tolist(),
        y=[int(count) or None for count in counts],
        width=float(edges[1] - edges[0]),
        name=name,
        opacity=0.8,
        marker={"color": "rgb({}, {}, {})".format(*CLASS_COLOURS[grade]), "line": {"width": 0}},
        hovertemplate="%{y}<extra>%{fullData.name}</extra>",
    )


def _line(at: float) -> dict[str, object]:
    where = {"x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "line", **where, "line": {"color": GREY, "width": 2, "dash": "dot"}}


def _label(name: str, at: float) -> dict[str, object]:
    look = {"showarrow": False, "yanchor": "bottom", "font": {"size": 11}}
    return {"x": at, "y": 1, "yref": "paper", "text": name, **look}
