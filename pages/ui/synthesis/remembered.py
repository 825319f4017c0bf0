"""What was chosen last on the page, for widgets that are drawn again after another tab or page.

A value that is only put into session state can be lost where the browser is slow: the default it falls back to has to
be the same.
"""

from typing import TypeVar

import streamlit as st

Value = TypeVar("Value")


def last(key: str, default: Value) -> Value:
    """Return the last choice; the default before there was one."""
    known = st.session_state.get(_place(key), default)
    return known if isinstance(known, type(default)) else default


def keep(key: str, value: Value) -> Value:
    """Note a choice, and return it."""
    st.session_state[_place(key)] = value
    return value


def _place(key: str) -> str:
    return f"{key}-last"
