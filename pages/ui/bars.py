"""The probabilities of the classes as a small bar chart."""

from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from core.explain.overlay import CLASS_COLOURS
from core.reports.content import ReportContent, percent

HTML = """
<div class="bars" role="img" aria-label="Probabilities of the classes">
</div>
"""
FRONTEND = Path(__file__).with_name("frontend")


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "ihc_bars",
        html=HTML,
        css=(FRONTEND / "bars.css").read_text(encoding="utf-8"),
        js=(FRONTEND / "bars.js").read_text(encoding="utf-8"),
    )


def show(content: ReportContent, *, key: str) -> None:
    """One bar a class, in the order of the grades; those of the prediction set are outlined."""
    rows = [
        {
            "label": share.label,
            "share": share.probability,
            "text": percent(share.probability),
            "colour": "rgb({}, {}, {})".format(*CLASS_COLOURS[share.label]),
            "chosen": share.label == content.answer,
            "possible": share.in_set,
        }
        for share in content.shares
    ]
    _component()(data={"rows": rows}, key=key)
