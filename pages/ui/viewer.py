"""The picture viewer of a result: an own component without any third-party script (`frontend/`)."""

from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FRONTEND = Path(__file__).with_name("frontend")
SCRIPTS = ("viewer.js", "maps.js", "gestures.js", "details.js")


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "ihc_viewer",
        html=(FRONTEND / "viewer.html").read_text(encoding="utf-8"),
        css=(FRONTEND / "viewer.css").read_text(encoding="utf-8"),
        js="\n".join((FRONTEND / name).read_text(encoding="utf-8") for name in SCRIPTS),
    )


def show(packet: bytes, *, key: str) -> None:
    """Show one packet of `pages.ui.layers.pack`."""
    _component()(data=packet, key=key)
