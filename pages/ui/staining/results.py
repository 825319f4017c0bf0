"""The pairs of a round: what could not be stained and why, all pairs as a grid, files of all."""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.labels import Scale
from pages.ui import background, grid
from pages.ui.background import Background
from pages.ui.layers import VIRTUAL_BANNER
from pages.ui.staining.work import Asked

if TYPE_CHECKING:
    from core.staining_round import Refused, Stained
    from core.staining_sources import Source

FOUND, ASKED, OPENED, PAGE_KEY = "stain_found", "stain_asked", "stain_opened", "stain_page"
GRID = "stain_pairs"
PAGE = 48
LISTED = 5


@dataclass(frozen=True)
class Found:
    """What the page shows, kept in session state so that leaving the page loses nothing.

    Attributes:
        number: counts the rounds, for the keys of widgets that must start anew.
    """

    number: int
    scale: Scale
    stained: "tuple[Stained, ...]" = ()
    refused: "tuple[Refused, ...]" = ()
    notes: tuple[str, ...] = ()


def remember(asked: Asked) -> None:
    """Note what was asked for: a round that insists adds to the former one."""
    st.session_state[ASKED] = asked


def current() -> Found | None:
    """What there is to show; None before anything was stained."""
    found = st.session_state.get(FOUND)
    return found if isinstance(found, Found) else None


def update(each: "Stained") -> None:
    """Put a pair in the place of the same one, as with its trust map."""
    found = current()
    if found is not None:
        some = tuple(each if known.id == each.id else known for known in found.stained)
        st.session_state[FOUND] = replace(found, stained=some)


def take(task: Background) -> None:
    """Keep what a finished round brought; where it failed, say why and keep the former one."""
    from core.staining_round import Round

    made = background.result_of(task, Round)
    if made is None:
        return
    former, asked = current(), st.session_state.get(ASKED, Asked())
    number = former.number + 1 if former else 1
    notes = made.notes
    if made.cancelled:
        notes = (*notes, f"Cancelled: {made.cancelled} images were not reached, the others are kept.")
    if asked.again and former:
        again = {source.name for source in asked.again}
        others = tuple(each for each in former.refused if each.name not in again)
        found = Found(number, asked.scale, former.stained + made.stained, others + made.refused, former.notes + notes)
    else:
        found = Found(number, asked.scale, made.stained, made.refused, notes)
        grid.forget(GRID)
    st.session_state[FOUND] = found


def show_remarks(found: Found) -> "tuple[Source, ...]":
    """What was left out and why; the refused images once the user insists on staining them."""
    for note in found.notes:
        st.info(note, icon=":material/info:")
    if not found.refused:
        return ()
    other = tuple(each.source for each in found.refused if each.source is not None)
    words = [f"- {each.reason}" for each in found.refused]
    if len(words) <= LISTED:
        st.warning("\n".join(words) if len(words) > 1 else found.refused[0].reason, icon=":material/block:")
    else:
        with st.expander(f"{len(words)} files were not stained: see why", icon=":material/block:"):
            st.markdown("\n".join(words))
    if other:
        count = f" ({len(other)})" if len(other) > 1 else ""
        pressed = st.button(f"Stain it all the same{count}", icon=":material/science:", key="stain_insist")
        return other if pressed else ()
    return ()


def show_pairs(found: Found) -> "Stained":
    """The banner, the pairs and the files of all; the pair to look at closely."""
    from core.staining_round import zip_of

    st.warning(f"{VIRTUAL_BANNER}. Research use only.", icon=":material/experiment:")
    if len(found.stained) == 1:
        return found.stained[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        compared = sum(each.facts.agreement is not None for each in found.stained)
        beside = f", {compared} beside their real IHC" if compared else ""
        st.markdown(
            f"**{len(found.stained):,} stained**{beside}. Left half H&E, right half virtual; click one to open it."
        )
        st.download_button(
            "ZIP of all",
            partial(zip_of, found.stained),
            "virtual_ihc.zip",
            "application/zip",
            key="stain_zip",
            on_click="ignore",
            icon=":material/folder_zip:",
            help="Every virtual IHC as PNG in the size of its H&E, marked as virtual, with a manifest",
        )
    some = _page(found)
    cells = [
        grid.Cell(
            id=each.id,
            picture=each.thumbnail,
            caption=each.facts.name,
            detail=seam_words(each),
            badge=each.label,
            alt=f"{each.facts.name}{f', class {each.label}' if each.label else ''}: H&E and virtual IHC",
        )
        for each in some
    ]
    known = {each.id: each for each in some}
    first = None if st.session_state.get(OPENED) in known else some[0].id
    touched = grid.show(cells, key=GRID, side_px=150, selected=first)
    st.session_state[OPENED] = touched.opened
    return known[touched.opened or some[0].id]


def seam_words(each: "Stained") -> str:
    """ "seams 1.04", or that there are none."""
    return "one tile, no seams" if each.facts.seams is None else f"seam index {each.facts.seams:.2f}"


def _page(found: Found) -> "tuple[Stained, ...]":
    pages = -(-len(found.stained) // PAGE)
    if pages == 1:
        return found.stained
    number = st.number_input(f"Page, of {pages}", 1, pages, key=f"{PAGE_KEY}-{found.number}", width=140)
    return found.stained[PAGE * (int(number) - 1) : PAGE * int(number)]
