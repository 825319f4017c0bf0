"""What a run leaves behind, for elsewhere."""

import streamlit as st

from core.db.records import User
from core.jobs import Run


def show(run: Run, _user: User) -> None:
    """The weights as a file, made when it is asked for."""
    with st.container(horizontal=True, key="run_exports"):
        st.download_button(
            "safetensors",
            run.folder.weights.read_bytes,
            f"{run.recipe.value}-{run.id}.safetensors",
            "application/octet-stream",
            icon=":material/download:",
            key="download_safetensors",
            on_click="ignore",
            help="The weights of the best epoch",
        )
