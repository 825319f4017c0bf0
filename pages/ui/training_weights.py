"""Make a run's weights the ones that the workbench uses, and take that back."""

import hashlib
from pathlib import Path

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.db.settings import AppSettings, get_app_settings
from core.jobs import Run
from pages.ui import errors

TEXT_PX = 620
SHOWN = 16
"""Characters of a SHA-256 that are shown, and that name a kept copy."""


def show(db: Database, user: User, run: Run) -> None:
    """Whether the weights are in use; the button that uses them, or the one that goes back."""
    with errors.shown():
        settings = get_app_settings(db)
    sha256 = _sha256(run.folder.weights, run.folder.weights.stat().st_mtime_ns)
    model = _used_by(settings, sha256)
    with st.container(border=True, key="run_weights"):
        if model is None:
            _offer(db, user, run, sha256)
        else:
            _in_use(db, user, model, sha256)
        if settings.remote_url:
            st.caption("Networks run on another workbench now, with its weights (Admin, Settings).")


def _offer(db: Database, user: User, run: Run, sha256: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width=TEXT_PX):
            st.markdown("**Weights** of the best epoch")
            st.caption(f"SHA-256 {sha256[:SHOWN]}. The weights in use are kept; one click goes back to them.")
        use = st.button("Use these weights", icon=":material/check_circle:", type="primary", key="use_weights")
    if use:
        from core.chosen_weights import use_run  # with torch: only once it is asked for

        with errors.shown(stop=False):
            with st.spinner("Checking the weights..."):
                use_run(db, user, run.id)
            st.rerun()


def _in_use(db: Database, user: User, model: str, sha256: str) -> None:
    from core.chosen_weights import previous, roll_back
    from core.models.registry import get_card

    with errors.shown():
        former = previous(db, model)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width=TEXT_PX):
            st.markdown(f":material/check_circle: **{get_card(model).title}** uses these weights")
            before = "" if former is None else f" Before: {former.path.name if former.path else 'the bundled weights'}."
            st.caption(f"SHA-256 {sha256[:SHOWN]}, in every result from the next analysis on.{before}")
        if st.button("Roll back", icon=":material/undo:", key="roll_back", disabled=former is None):
            with errors.shown(stop=False):
                with st.spinner("Checking the former weights..."):
                    found = roll_back(db, user, model)
                name = found.path.name if found.path else "the bundled weights"
                st.toast(f"Back to {name}.", icon=":material/undo:")
                st.rerun()


def _used_by(settings: AppSettings, sha256: str) -> str | None:
    """The model that runs with these weights."""
    for model, path in settings.weights.items():
        if Path(path).stem == f"{model}-{sha256[:SHOWN]}":
            return model
    return None


@st.cache_data(max_entries=50, show_spinner=False)
def _sha256(path: Path, changed_ns: int) -> str:  # noqa: ARG001, a part of the cache key
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
