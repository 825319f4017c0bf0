"""Sliders for the DAB densities from which a nucleus, or a membrane, is weak, moderate and strong."""

from dataclasses import replace

import streamlit as st

from core.quantify.membrane import MEMBRANE_THRESHOLDS
from core.types import Thresholds
from pages.ui.adjusting import GAP, HIGHEST, Adjusting
from pages.ui.workspace import Opened

WEAK_START = 0.2
"""Where the slider of weak begins, in optical density (the default of QuPath)."""

OWN = "own_thresholds"


def show(opened: Opened) -> None:
    """The sliders; of nuclei that of weak only where weak is set by density, of membranes all or none."""
    adjusting, now = opened.adjusting, opened.adjusting.now.thresholds
    membranes = opened.result.nuclei is not None and opened.result.nuclei.membranes is not None
    key = f"-{opened.identity}"
    _follow(OWN + key, now.weak is not None)
    st.toggle(
        "Set the membrane thresholds" if membranes else "Set weak by optical density",
        key=OWN + key,
        on_change=_switch,
        args=(adjusting, OWN + key),
        kwargs={"membranes": membranes},
        help="Off: those that were chosen for membranes."
        if membranes
        else "Off: a nucleus is stained where it was detected as stained.",
    )
    if now.weak is not None:
        _slider("weak", now.weak, adjusting, key)
    if now.weak is not None or not membranes:
        _slider("moderate", now.moderate, adjusting, key)
        _slider("strong", now.strong, adjusting, key)


def _slider(name: str, value: float, adjusting: Adjusting, key: str) -> None:
    _follow(name + key, min(max(value, GAP), HIGHEST))
    st.slider(
        f"{name.capitalize()} from (DAB OD)",
        GAP,
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


def _switch(adjusting: Adjusting, key: str, *, membranes: bool) -> None:
    now, wanted = adjusting.now.thresholds, bool(st.session_state[key])
    if membranes:
        adjusting.change(replace(adjusting.now, thresholds=MEMBRANE_THRESHOLDS if wanted else Thresholds()))
    else:
        start = WEAK_START if wanted else None
        adjusting.set_thresholds(weak=start, moderate=now.moderate, strong=now.strong, moved="weak")
