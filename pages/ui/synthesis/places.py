"""Where on the Synthesis page somebody is: the open tab, which a button of another tab may change."""

import streamlit as st

GALLERY, INTERPOLATE, HEALTH = "Gallery", "Interpolate", "Health"
READER_TEST, COLLECTIONS = "Real or synthetic?", "Collections"
TAB, LAST, NEXT = "synthesis_tab", "synthesis_last_tab", "synthesis_next_tab"


def restore() -> None:
    """Choose the tab before the tabs are drawn: where a button led, or as it was left."""
    state = st.session_state
    following = state.pop(NEXT, None) or (state.get(LAST) if TAB not in state else None)
    if following:
        state[TAB] = following
    state[LAST] = state.get(TAB, GALLERY)


def go(tab: str) -> None:
    """Show another tab from the next run of the page on."""
    st.session_state[NEXT] = tab
