"""Another explanation of the same score: the class it speaks for, and the method."""

import streamlit as st

from core.labels import CLASSES, CamMethod
from pages.ui import faithfulness, guard, rounds
from pages.ui.workspace import Opened, Workspace


def show(opened: Opened, space: Workspace) -> None:
    """What is explained, and on request other explanations and how far they can be trusted."""
    _choices(opened, space)
    faithfulness.show(opened, space)


def _choices(opened: Opened, space: Workspace) -> None:
    """Two choices under the picture; a change explains anew, without scoring again."""
    analysis = opened.result.analysis
    if not opened.result.pictures.heatmaps:
        return
    if not opened.data:
        st.caption("Another class or method needs the original image, which is not kept in the history.")
        return
    identity = f"{analysis.provenance.created}-{analysis.name}"
    classes, methods = CLASSES[analysis.marker], list(CamMethod)
    shown = analysis.target or analysis.outcome
    # A widget that the browser builds anew starts from what is on the screen, not from the first choice.
    first = classes.index(shown) if shown in classes else 0
    with st.container(horizontal=True, vertical_alignment="bottom", key="explanation"):
        target = st.selectbox("Grad-CAM explains", classes, index=first, key=f"target-{identity}", width=160)
        method = st.selectbox(
            "Method",
            methods,
            index=methods.index(analysis.cam_method),
            format_func=lambda each: each.value,
            key=f"method-{identity}",
            width=160,
        )
    if (target, method) != (analysis.target or analysis.outcome, analysis.cam_method) and not rounds.running(space):
        rounds.explain(space, opened, target, method, guard.database())
        st.rerun()
