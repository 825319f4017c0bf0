"""Accepted and rejected images, the reason on each."""

from collections.abc import Sequence

import streamlit as st

from core.quality.filter import Reason, Tally
from pages.ui import grid
from pages.ui.filtering_images import JudgedImage

PAGE = 60
ACCEPTED, REJECTED, ANY = "Accepted", "Rejected", "any reason"


def show(judged: Sequence[JudgedImage], counted: Tally, key: str) -> None:
    """One gallery at a time, in pages; of the rejected, those of one reason where it is chosen."""
    kept = {ACCEPTED: counted.accepted, REJECTED: counted.total - counted.accepted}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        side = st.segmented_control(
            "Gallery",
            list(kept),
            default=ACCEPTED if counted.accepted else REJECTED,
            required=True,
            format_func=lambda name: f"{name} ({kept[name]:,})",
            label_visibility="collapsed",
            key=f"{key}-side",
        )
        reason = ANY
        if side == REJECTED and kept[REJECTED]:
            found = [ANY, *(each.value for each in Reason if counted.every[each])]
            reason = st.selectbox("Reason", found, key=f"{key}-reason", width=220)
    shown = [each for each in judged if each.verdict.accepted == (side == ACCEPTED) and _has(each, reason)]
    if not shown:
        st.caption("None: lower a threshold to accept more." if side == ACCEPTED else "No image was rejected.")
        return
    first = _page(len(shown), key)
    grid.show([_cell(index, each) for index, each in enumerate(shown[first : first + PAGE], first)], key=f"{key}-grid")


def _page(count: int, key: str) -> int:
    """The first image of the page that is chosen; nothing to choose where all fit."""
    pages = -(-count // PAGE)
    if pages == 1:
        return 0
    name = f"{key}-page"
    if st.session_state.get(name, 1) > pages:
        st.session_state[name] = pages
    return PAGE * (int(st.number_input(f"Page, of {pages}", 1, pages, key=name, width=140)) - 1)


def _has(each: JudgedImage, reason: str) -> bool:
    return reason == ANY or any(rejection.reason.value == reason for rejection in each.verdict.reasons)


def _cell(index: int, each: JudgedImage) -> grid.Cell:
    measures, reasons = each.verdict.measures, each.verdict.reasons
    opinion = measures.opinion
    read = f"{opinion.label} {opinion.confidence:.2f}" if opinion is not None and opinion.label else ""
    made = f"made as {measures.label}" if measures.label else each.name
    return grid.Cell(
        id=f"{index}-{each.name}",
        picture=each.thumbnail,
        caption=made,
        detail=each.verdict.words or (f"read as {read}" if read else "all checks passed"),
        badge=reasons[0].reason.value if reasons else "",
        tone="bad" if reasons else "good",
        alt=f"{each.name}, {made}: {each.verdict.words or 'accepted'}",
    )
