"""What the quality filter leaves: the count, the reasons as table and bars, both galleries, the files."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from core.quality.filter import PUBLISHED_ACCEPTED, FilterSettings, Reason, Tally, tally
from core.quality.generative import share_of
from pages.ui import filtering_files, filtering_gallery
from pages.ui.filtering_images import JudgedImage
from pages.ui.training_charts import PALETTE, chart


def show(judged: Sequence[JudgedImage], key: str, settings: FilterSettings, *, offer_files: bool) -> None:
    """The whole panel; see `pages.ui.filtering.results_panel`."""
    if not judged:
        st.caption("No images to filter yet.")
        return
    counted = tally(each.verdict for each in judged)
    _say_share(judged, counted)
    if counted.accepted < counted.total:
        left, right = st.columns([2, 3], gap="large")
        with left:
            _table(counted)
        with right:
            _bars(counted, key)
    filtering_gallery.show(judged, counted, key)
    if offer_files:
        filtering_files.show(judged, settings, key)


def _say_share(judged: Sequence[JudgedImage], counted: Tally) -> None:
    import numpy as np

    interval = share_of(np.array([each.verdict.accepted for each in judged]))
    st.markdown(
        f"**{counted.accepted:,} of {counted.total:,} accepted** ({counted.share:.1%}; 95 % interval "
        f"{interval.low:.1%} to {interval.high:.1%})"
    )
    words = f"For scale: the published run accepted {PUBLISHED_ACCEPTED:.1%} of its images."
    if all(each.verdict.measures.opinion is None for each in judged):
        words += " No classifier read these images: confidence and class were not checked."
    elif all(not each.verdict.measures.label for each in judged):
        words += " It is not known what class they were made as: the class was not checked."
    st.caption(words)


def _table(counted: Tally) -> None:
    failed = [reason for reason in Reason if counted.every[reason]]
    st.dataframe(
        {
            "Reason": [reason.value for reason in failed],
            "First": [counted.first[reason] for reason in failed],
            "In all": [counted.every[reason] for reason in failed],
            "Share": [counted.every[reason] / counted.total for reason in failed],
        },
        hide_index=True,
        column_config={
            "First": st.column_config.NumberColumn(help="Images that failed this check first"),
            "In all": st.column_config.NumberColumn(help="Images that failed it, perhaps beside others"),
            "Share": st.column_config.NumberColumn(format="percent", help="Of all images"),
        },
    )


def _bars(counted: Tally, key: str) -> None:
    failed = [reason for reason in Reason if counted.every[reason]]
    names = [reason.value for reason in failed]
    others = [counted.every[reason] - counted.first[reason] for reason in failed]
    style = {"y": names, "orientation": "h", "hovertemplate": "%{y}: %{x}<extra>%{fullData.name}</extra>"}
    chart(
        [
            go.Bar(
                x=[counted.first[reason] for reason in failed], name="failed first", marker_color=PALETTE[0], **style
            ),
            go.Bar(x=others, name="failed as well", marker_color=PALETTE[5], **style),
        ],
        title="Why images were rejected",
        x="images",
        y="",
        key=f"{key}-reasons",
        height=max(180, 120 + 34 * len(failed)),
        barmode="stack",
        yaxis={"autorange": "reversed"},
        hovermode="closest",
        alt="; ".join(f"{reason.value}: {counted.every[reason]} images" for reason in failed),
    )
