"""Take back, reset or keep what was changed about a measurement."""

import streamlit as st

from core import history
from core.errors import AppError
from core.types import Adjustments
from pages.ui import guard
from pages.ui.workspace import Opened


def show(opened: Opened) -> None:
    """One row of buttons, and whether anything is not saved yet."""
    adjusting = opened.adjusting
    with st.container(horizontal=True, key="adjusting"):
        st.button(
            "Undo",
            icon=":material/undo:",
            key="adjust_undo",
            on_click=adjusting.undo,
            disabled=not adjusting.past,
            help="Takes back the last threshold, region or correction",
        )
        st.button(
            "Redo", icon=":material/redo:", key="adjust_redo", on_click=adjusting.redo, disabled=not adjusting.future
        )
        st.button(
            "Reset all",
            icon=":material/restart_alt:",
            key="adjust_reset",
            on_click=adjusting.reset,
            disabled=not adjusting.changed,
            help="Back to the measurement as it was made; Undo brings your changes back",
        )
        if opened.entry_id is not None:
            st.button(
                "Save changes",
                icon=":material/save:",
                key="adjust_save",
                type="primary" if adjusting.unsaved else "secondary",
                on_click=_save,
                args=(opened,),
                disabled=not adjusting.unsaved,
                help="Keeps them with this entry of the history, beside the figures as measured",
            )
    if opened.entry_id is None and adjusting.changed:
        st.caption("Your changes are kept until you leave: this result is not stored.")
    elif adjusting.unsaved:
        st.caption("Not saved yet.")


def _save(opened: Opened) -> None:
    adjusting = opened.adjusting
    try:
        kept = history.save_adjustments(guard.database(), guard.require_user(), opened.entry_id or "", adjusting.now)
    except AppError as error:
        adjusting.problem = str(error)
        return
    adjusting.keep(kept.adjustments if kept else Adjustments())
    st.toast("Your changes are saved.", icon=":material/check:")
