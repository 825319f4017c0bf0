"""From one image to another."""

import streamlit as st

from core.db.engine import Database
from core.db.records import User


def show(db: Database, user: User) -> None:
    """Show the tab."""
    st.caption(f"From one image to another {user.name} {db is not None}")
