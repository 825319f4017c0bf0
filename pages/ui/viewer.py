"""The picture viewer of a result: an own component without any third-party script (`frontend/`)."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FRONTEND = Path(__file__).with_name("frontend")
SCRIPTS = ("viewer.js", "maps.js", "gestures.js", "details.js", "outlines.js", "painter.js", "tools.js", "card.js")


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "ihc_viewer",
        html=(FRONTEND / "viewer.html").read_text(encoding="utf-8"),
        css=(FRONTEND / "viewer.css").read_text(encoding="utf-8"),
        js="\n".join((FRONTEND / name).read_text(encoding="utf-8") for name in SCRIPTS),
    )


@cache
def _link() -> ComponentRenderer:
    return st.components.v2.component(
        "ihc_viewer_link", html="<span></span>", js=(FRONTEND / "link.js").read_text(encoding="utf-8")
    )


def show(packet: bytes, *, key: str, on_events: Callable[[], None] | None = None) -> None:
    """Show one packet of `pages.ui.layers.pack`.

    Args:
        on_events: called when a reader changed something about the nuclei; `events` says what.
    """
    if on_events is None:
        _component()(data=packet, key=key)
    else:
        _component()(data=packet, key=key, on_events_change=on_events)


def events(key: str) -> object:
    """What the reader changed, as the browser sent it: {"id": result, "client": viewer, "list": [event]}."""
    return st.session_state[key].get("events")


def tell(message: dict[str, object], *, key: str) -> None:
    """Tell the viewer of the same picture what changed, without sending the picture again."""
    _link()(data=message, key=key)
