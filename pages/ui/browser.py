"""Send the browser to an address of this server: a script cannot set a cookie, a route can."""

from functools import cache
from typing import Never

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

SIGN_OUT = "/auth/sign-out"
SCRIPT = """
export default function ({ data }) {
  if (data?.url) window.location.replace(data.url)
}
"""


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("workbench_go", js=SCRIPT)


def accept_address(ticket: str) -> str:
    """Where a one-time ticket is exchanged for the session cookie."""
    return f"/auth/accept?ticket={ticket}"


def go(url: str) -> Never:
    """Leave this page for a fixed address of this server and end the script."""
    _component()(data={"url": url}, key="go", height=1)
    st.caption("One moment...")
    st.stop()
