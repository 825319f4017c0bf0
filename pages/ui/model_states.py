"""What is known about each model: its network, its active weights, its card."""

from dataclasses import dataclass

import streamlit as st

from core.config import get_settings
from core.db.engine import Database
from core.errors import WeightsError
from pages.ui import errors


@dataclass(frozen=True)
class ModelView:
    """One model as the pages show it.

    Attributes:
        sha256: of the active weights; None where they cannot be used, then `problem` says why.
        text: the model card in Markdown; empty where there is none.
    """

    name: str
    title: str
    task: str
    facts: str
    sha256: str | None
    problem: str
    path: str
    overridden: bool
    origin: str
    date: str
    licence: str
    source: str
    text: str


def views(db: Database) -> list[ModelView]:
    """All models of the workbench."""
    from core.models.manifest import read_manifest  # with torch: only the pages that need it
    from core.models.registry import CARDS
    from core.serving import serving_engine

    with errors.shown():
        states = serving_engine(db).available()
    try:
        entries = read_manifest(get_settings().weights_dir)
    except WeightsError:
        entries = {}  # each state says the same sentence
    found = []
    for name, card in CARDS.items():
        state, entry = states[name], entries.get(name)
        file = entry.card if entry and not state.overridden else None
        found.append(
            ModelView(
                name=name,
                title=card.title,
                task=card.task.value,
                facts=f"{card.parameters / 1e6:.1f} M parameters, {card.input_px} px input"
                + (f", one tile covers {card.tile_um:g} µm" if card.tile_um else ""),
                sha256=state.sha256,
                problem=state.error or "",
                path=state.path.name if state.path else "",
                overridden=state.overridden,
                origin="chosen by the administrator" if state.overridden else entry.origin if entry else "",
                date=entry.date if entry and not state.overridden else "",
                licence=card.licence,
                source=card.source,
                text=file.read_text(encoding="utf-8") if file and file.is_file() else "",
            )
        )
    return found


def show_state(view: ModelView) -> None:
    """Title, whether it can be used, and the active weights."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{view.title}**", width="content")
        if view.sha256:
            st.badge("active", icon=":material/check:", color="green")
        else:
            st.badge("unavailable", icon=":material/block:", color="gray")
        if view.overridden:
            st.badge("other weights than the bundled ones", color="orange")
    st.caption(f"{view.task} · {view.facts}")
    if view.sha256:
        made = f" · {view.date}" if view.date else ""
        st.caption(f"Weights {view.path} · SHA-256 {view.sha256[:16]}{made} · {view.origin}")
    elif view.problem:
        st.caption(f":material/info: {view.problem}")
