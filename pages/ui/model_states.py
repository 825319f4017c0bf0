"""What is known about each model: its network, its active weights, its card."""

from dataclasses import dataclass

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import Role
from pages.ui import errors

BUNDLED = "the bundled weights"


@dataclass(frozen=True)
class ModelView:
    """One model as the pages show it.

    Attributes:
        sha256: of the active weights; None where they cannot be used, then `problem` says why.
        text: the model card in Markdown; empty where there is none.
        before: the weights that were active before these, in words; empty where there were none.
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
    before: str


def views(db: Database) -> list[ModelView]:
    """All models of the workbench."""
    from core.chosen_weights import previous  # with torch: only the pages that need it
    from core.models.registry import CARDS
    from core.serving import serving_engine

    found = []
    with errors.shown():
        engine = serving_engine(db)
        states = engine.available()
        before = {name: previous(db, name) for name in CARDS}
    for name, card in CARDS.items():
        state, entry, former = states[name], engine.entry(name), before[name]
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
                origin=entry.origin if entry else "",
                date=entry.date if entry else "",
                licence=card.licence,
                source=card.source,
                text=entry.card.read_text(encoding="utf-8") if entry and entry.card and entry.card.is_file() else "",
                before="" if former is None else former.path.name if former.path else BUNDLED,
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


def offer_roll_back(view: ModelView, db: Database, user: User) -> None:
    """The way back to the weights that were active before, for those who may."""
    if not view.before or user.role not in (Role.RESEARCHER, Role.ADMIN):
        return
    if st.button(f"Roll back to {view.before}", icon=":material/undo:", key=f"roll_back-{view.name}"):
        from core.chosen_weights import roll_back

        with errors.shown(), st.spinner("Checking the weights..."):
            former = roll_back(db, user, view.name)
        for sentence in former.skipped:
            st.toast(sentence, icon=":material/info:")
        st.rerun()
