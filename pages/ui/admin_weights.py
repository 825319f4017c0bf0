"""Weights of each model: the bundled ones, a file on the server, or an upload; checked before they are used."""

from pathlib import Path

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from pages.ui import errors, model_states
from pages.ui.model_states import ModelView


def show(db: Database, actor: User) -> None:
    """One block a model."""
    st.caption(
        "A file is checked before it is used: it must hold the weights of this network and nothing that runs. "
        "The next analysis uses it; results name its SHA-256."
    )
    with st.spinner("Looking at the weights..."):
        views = model_states.views(db)
    for view in views:
        with st.container(border=True, key=f"weights-{view.name}"):
            model_states.show_state(view)
            with st.popover("Other weights", icon=":material/swap_horiz:", key=f"other-{view.name}"):
                _choose(db, actor, view)
            if view.overridden:
                _offer_bundled(db, actor, view)


def _offer_bundled(db: Database, actor: User, view: ModelView) -> None:
    if st.button("Back to the bundled weights", icon=":material/undo:", key=f"bundled-{view.name}"):
        from core.chosen_weights import use_bundled

        with errors.shown():
            use_bundled(db, actor, view.name)
        st.rerun()


def _choose(db: Database, actor: User, view: ModelView) -> None:
    from core.chosen_weights import use_file, use_upload

    path = st.text_input("Path on the server", key=f"path-{view.name}", placeholder="/srv/weights/ihcnet.safetensors")
    if st.button("Check and use this file", key=f"use_path-{view.name}", disabled=not path):
        with errors.shown(), st.spinner("Checking the weights..."):
            use_file(db, actor, view.name, Path(path or ""))
        st.rerun()
    upload = st.file_uploader(
        "Or upload (.safetensors, .pth)", type=["safetensors", "pth", "pt"], key=f"upload-{view.name}"
    )
    if st.button("Check and use the upload", key=f"use_upload-{view.name}", disabled=upload is None) and upload:
        with errors.shown(), st.spinner("Checking the weights..."):
            use_upload(db, actor, view.name, upload.name, upload.getvalue())
        st.rerun()
