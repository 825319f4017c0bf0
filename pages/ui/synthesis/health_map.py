"""A map of images: near each other is what the classifier takes for alike."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import streamlit as st

from pages.ui.training_charts import chart, colour

if TYPE_CHECKING:
    from core.inference.generator_health import GeneratorHealth

HEIGHT_PX = 460
KINDS = {"training": "Real, training", "held_out": "Real, held out", "synthetic": "Synthetic"}
MARKS = {
    "training": {"symbol": "circle", "size": 4, "opacity": 0.35},
    "held_out": {"symbol": "circle-open", "size": 6, "opacity": 0.6},
    "synthetic": {"symbol": "x", "size": 7, "opacity": 0.9},
}


def show(health: "GeneratorHealth") -> None:
    """Real training tiles, held-out ones and synthetic images, by class."""
    points = health.judged.map
    labels = [each.label for each in health.judged.per_class]
    st.subheader("Map of features", anchor=False)
    shown = st.pills(
        "On the map",
        list(KINDS),
        selection_mode="multi",
        default=list(KINDS),
        format_func=KINDS.get,
        key="health_kinds",
    )
    traces = [
        _trace(health, kind, place, label, where[of == place])
        for kind in KINDS
        if kind in shown
        for where, of in ((getattr(points, kind), getattr(points, f"{kind}_labels")),)
        for place, label in enumerate(labels)
    ]
    first, second = points.shares
    chart(
        traces,
        title="Two axes along which training tiles vary most",
        x=f"first axis ({first:.0%} of the variance)",
        y=f"second axis ({second:.0%})",
        key="health_map",
        height=HEIGHT_PX,
        hovermode="closest",
        alt="Scatter of synthetic and real images in the classifier's features; crosses are synthetic",
    )
    st.caption(
        "Synthetic images where no real tile lies are unlike any; real tiles without crosses near are not reached."
    )


def _trace(
    health: "GeneratorHealth", kind: str, place: int, label: str, where: npt.NDArray[np.float32]
) -> go.Scattergl:
    mark = dict(MARKS[kind])
    opacity = mark.pop("opacity")
    return go.Scattergl(
        x=where[:, 0],
        y=where[:, 1],
        mode="markers",
        name=f"{KINDS[kind]} {label}",
        marker=mark | {"color": colour(label, place)},
        opacity=opacity,
        hovertemplate=f"{KINDS[kind]} {label}%{{text}}<extra></extra>",
        text=_texts(health, kind, place, len(where)),
    )


def _texts(health: "GeneratorHealth", kind: str, place: int, count: int) -> list[str]:
    points = health.judged.map
    if kind != "synthetic":
        return [""] * count
    rows = np.flatnonzero(points.synthetic_labels == place)
    return [f", seed {health.seed + int(row)}" for row in rows]
