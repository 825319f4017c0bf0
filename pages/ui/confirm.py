"""The question before something is removed for good."""

from collections.abc import Callable

import streamlit as st


def ask_to_delete(title: str, what: str, note: str, *, key: str, delete: Callable[[], None]) -> None:
    """Open the dialog: delete, or keep.

    Args:
        what: Markdown, what is removed.
        note: what stays.
        key: ends the keys of both buttons.
        delete: called where the answer is yes.
    """

    @st.dialog(title, icon=":material/delete:")
    def dialog() -> None:
        st.markdown(what)
        st.caption(note)
        with st.container(horizontal=True):
            confirm = f"confirm_delete_{key}"
            if st.button("Delete", type="primary", icon=":material/delete:", key=confirm, on_click=delete):
                st.rerun()
            if st.button("Keep", key=f"keep_{key}"):
                st.rerun()

    dialog()
