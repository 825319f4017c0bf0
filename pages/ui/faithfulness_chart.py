"""Deletion curves: how the answer falls as the places that a heat map marks are covered, beside random orders."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from pages.ui.training_charts import GREY, PALETTE, chart, line

if TYPE_CHECKING:  # the networks are imported by the thread that needs them
    from core.explain.faithfulness import Faithfulness


def show(faithfulness: "Faithfulness") -> None:
    """One line a map, over the band of all random orders."""
    random = faithfulness.random
    steps = [round(100 * place / (len(random.mean) - 1), 1) for place in range(len(random.mean))]
    band = go.Scatter(
        x=steps + steps[::-1],
        y=[100 * p for p in (*random.highest, *random.lowest[::-1])],
        fill="toself",
        fillcolor="rgba(128,128,128,0.25)",
        line={"width": 0},
        name=f"{len(random.areas)} random orders",
        hoverinfo="skip",
    )
    mean = line("random, mean", steps, [100 * p for p in random.mean], GREY, marks=False, dash="dot")
    maps = [
        line(each.name, steps, [100 * p for p in each.curves.deletion], PALETTE[place], marks=False)
        for place, each in enumerate(faithfulness.maps)
    ]
    chart(
        [band, mean, *maps],
        title="Covering the marked places first",
        x="% of the tile covered",
        y=f"probability of {faithfulness.target}, %",
        key="deletion_curves",
        yaxis_range=[0, 100],
        height=340,
        legend_y=-0.4,
        alt="Deletion curves; area under each: "
        + ", ".join(f"{each.name} {each.curves.deletion_area:.2f}" for each in faithfulness.maps),
    )
