"""Pictures made while training, as they improve: the same noise, or the same fields, epoch by epoch."""

import re
from pathlib import Path

import streamlit as st

from core.training.run_folder import RunFolder

LATEST = "latest"


def epochs(run: RunFolder) -> dict[int, Path]:
    """The pictures of a run by epoch."""
    found = {}
    for path in run.samples.glob("*.png") if run.samples.is_dir() else ():
        digits = re.search(r"(\d+)$", path.stem)
        if digits:
            found[int(digits.group(1))] = path
    return dict(sorted(found.items()))


def show(run: RunFolder, *, key: str) -> None:
    """The newest picture, and a slider back through the epochs."""
    pictures = epochs(run)
    if not pictures:
        return
    st.markdown("**Samples**")
    chosen: object = LATEST
    if len(pictures) > 1:
        options = [*list(pictures)[:-1], LATEST]
        if st.session_state.get(f"{key}-epoch", LATEST) not in options:
            st.session_state[f"{key}-epoch"] = LATEST
        st.session_state.setdefault(f"{key}-epoch", LATEST)
        chosen = st.select_slider("Epoch", options, key=f"{key}-epoch")
    epoch = chosen if isinstance(chosen, int) else max(pictures)
    st.image(pictures[epoch], alt=f"Samples of epoch {epoch}")
    st.caption(f"Epoch {epoch}, always of the same noise or the same fields, so that epochs can be compared.")
