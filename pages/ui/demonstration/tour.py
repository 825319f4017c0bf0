"""The tour."""

import streamlit as st

from core.db.engine import Database
from core.db.records import User


def show(db: Database, user: User) -> None:
    """Show the screen."""
    st.caption(f"The tour {user.name} {db is not None}")
