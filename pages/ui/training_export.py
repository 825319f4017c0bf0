"""What a run leaves behind, for elsewhere: each file is made when it is asked for."""

import io
from collections.abc import Callable

import streamlit as st

from core.jobs import Run

# The exports are imported where they are made: torch takes seconds, and a page shall not wait for it.


def show(run: Run) -> None:
    """Weights in both forms, the whole run, and the notebook that repeats it."""
    stem = f"{run.recipe.value}-{run.id}"
    with st.container(horizontal=True, key="run_exports"):
        if run.folder.weights.is_file():
            _offer("safetensors", run.folder.weights.read_bytes, f"{stem}.safetensors", "The weights of the best epoch")
            _offer(".pth", lambda: _pth(run), f"{stem}.pth", "The same in the published layout, float32, for PyTorch")
        _offer("Notebook", lambda: _notebook(run), f"{stem}.ipynb", "A Jupyter notebook that repeats this run")
        _offer("Whole run", lambda: _zip(run), f"{stem}.zip", "Weights, figures, pictures, log and curves as ZIP")


def _offer(label: str, make: Callable[[], bytes], file_name: str, help_: str) -> None:
    st.download_button(
        label,
        make,
        file_name,
        icon=":material/download:",
        key=f"download_{file_name.rsplit('.', 1)[1]}",
        on_click="ignore",
        help=help_,
    )


def _pth(run: Run) -> bytes:
    from core.training.export import published_pth

    return published_pth(run.folder)


def _notebook(run: Run) -> bytes:
    from core.training.notebook import notebook

    return notebook(run.folder, run.name)


def _zip(run: Run) -> bytes:
    from core.training.export import write_zip

    file = io.BytesIO()
    write_zip(run.folder, run.name, file)
    return file.getvalue()
