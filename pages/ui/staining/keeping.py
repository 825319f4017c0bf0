"""Filter the virtual stains, and keep the accepted ones as a data set."""

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from pages.ui.staining.results import Found


def show(found: Found, owner: str, db: Database, user: User) -> None:  # noqa: ARG001
    """The filter panel, and the data set of what it accepts."""
    st.subheader("Filter", anchor=False)
