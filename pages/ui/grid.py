"""Many small pictures that can be opened and marked: an own component without any third-party script."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FRONTEND = Path(__file__).with_name("frontend")
TYPES = {b"\x89PNG": "png", b"RIFF": "webp", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}


@dataclass(frozen=True)
class Cell:
    """One picture.

    Attributes:
        id: unique in its grid.
        picture: PNG, JPEG, WebP or GIF bytes.
        caption, detail: one line below it, and a smaller second one.
        badge: a word on the picture; `tone` is its colour: "good", "warn", "bad" or "" for plain.
        marked: whether its star is on; None offers no star.
        alt: what a screen reader says; the caption where empty.
    """

    id: str
    picture: bytes
    caption: str = ""
    detail: str = ""
    badge: str = ""
    tone: str = ""
    marked: bool | None = None
    alt: str = ""


@dataclass(frozen=True)
class Touched:
    """What a person did with a grid.

    Attributes:
        opened: the picture clicked last; None before that, or where it is not in the grid any more.
        marked: the pictures of this grid whose star is on.
    """

    opened: str | None
    marked: frozenset[str]


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "ihc_grid",
        html='<div class="grid" role="list"></div>',
        css=(FRONTEND / "grid.css").read_text(encoding="utf-8"),
        js=(FRONTEND / "grid.js").read_text(encoding="utf-8"),
    )


def show(cells: Sequence[Cell], *, key: str, side_px: int = 112, selected: str | None = None) -> Touched:
    """Show pictures in rows as wide as the page.

    Args:
        side_px: least width of a picture; the rows are filled out.
        selected: the picture with a frame around it; the one clicked last by default.
    """
    opened, stars = _opened_key(key), _stars_key(key)
    marks: dict[str, bool] = st.session_state.setdefault(stars, {})
    chosen = selected if selected is not None else st.session_state.get(opened)
    rows = [
        {
            "id": cell.id,
            "src": _address(cell.picture),
            "caption": cell.caption,
            "detail": cell.detail,
            "badge": cell.badge,
            "tone": cell.tone,
            "marked": None if cell.marked is None else marks.get(cell.id, cell.marked),
            "alt": cell.alt or cell.caption,
        }
        for cell in cells
    ]
    answer = _component()(
        data={"cells": rows, "side": side_px, "selected": chosen},
        key=key,
        on_opened_change=lambda: None,
        on_stars_change=lambda: None,
    )
    if isinstance(answer.opened, str):
        st.session_state[opened] = answer.opened
    if isinstance(answer.stars, dict):
        marks.update({str(name): bool(on) for name, on in answer.stars.items()})
    here = {cell.id for cell in cells}
    last = st.session_state.get(opened)
    on = frozenset(cell.id for cell in cells if cell.marked is not None and marks.get(cell.id, cell.marked))
    return Touched(last if last in here else None, on)


def forget(key: str) -> None:
    """Forget what was clicked and marked in a grid: the cells' own marks count again."""
    for name in (_opened_key(key), _stars_key(key)):
        st.session_state.pop(name, None)


def _opened_key(key: str) -> str:
    return f"{key}-opened"


def _stars_key(key: str) -> str:
    return f"{key}-stars"


def _address(picture: bytes) -> str:
    kind = next((name for start, name in TYPES.items() if picture.startswith(start)), "png")
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
