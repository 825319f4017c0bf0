"""Kept images."""

import streamlit as st

from core.db.engine import Database
from core.db.records import User


def show(db: Database, user: User) -> None:
    """Show the tab."""
    st.caption(f"Kept images {user.name} {db is not None}")
