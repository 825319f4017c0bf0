"""Expected errors become sentences on the page, here and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import AppError


@contextmanager
def shown(*, stop: bool = True) -> Iterator[None]:
    """Show an expected error as its sentence.

    Args:
        stop: end the page there; otherwise go on behind the block.
    """
    try:
        yield
    except AppError as error:
        show(error)
        if stop:
            st.stop()


def show(error: AppError) -> None:
    """Show the sentence of one expected error."""
    st.error(str(error), icon=":material/error:")
