"""Sliders for the DAB densities from which a nucleus is weak, moderate and strong."""

import streamlit as st

from pages.ui.adjusting import GAP, Adjusting
from pages.ui.workspace import Opened

LOWEST, HIGHEST = 0.01, 1.5
WEAK_START = 0.2
"""Where the slider of weak begins, in optical density (the default of QuPath)."""

BY_DENSITY = "weak_by_density"


def show(opened: Opened) -> None:
    """Three sliders; that of weak only where weak is set by density."""
    adjusting, now = opened.adjusting, opened.adjusting.now.thresholds
    key = f"-{opened.identity}"
    _follow(BY_DENSITY + key, now.weak is not None)
    st.toggle(
        "Set weak by optical density",
        key=BY_DENSITY + key,
        on_change=_set_weak,
        args=(adjusting, BY_DENSITY + key),
        help="Off: a nucleus is stained where it was detected as stained.",
    )
    if now.weak is not None:
        _slider("weak", now.weak, adjusting, key)
    _slider("moderate", now.moderate, adjusting, key)
    _slider("strong", now.strong, adjusting, key)


def _slider(name: str, value: float, adjusting: Adjusting, key: str) -> None:
    _follow(name + key, min(max(value, LOWEST), HIGHEST))
    st.slider(
        f"{name.capitalize()} from (DAB OD)",
        LOWEST,
        HIGHEST,
        step=GAP,
        format="%.2f",
        key=name + key,
        on_change=_move,
        args=(adjusting, name, name + key),
    )


def _follow(key: str, value: float | bool) -> None:
    """A widget shows what is set, also after undo."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _move(adjusting: Adjusting, name: str, key: str) -> None:
    now = adjusting.now.thresholds
    values = {"weak": now.weak, "moderate": now.moderate, "strong": now.strong} | {name: st.session_state[key]}
    adjusting.set_thresholds(
        weak=values["weak"],
        moderate=values["moderate"] or now.moderate,
        strong=values["strong"] or now.strong,
        moved=name,
    )


def _set_weak(adjusting: Adjusting, key: str) -> None:
    now = adjusting.now.thresholds
    start = WEAK_START if st.session_state[key] else None
    adjusting.set_thresholds(weak=start, moderate=now.moderate, strong=now.strong, moved="weak")
