"""Virtual staining."""

import streamlit as st

from core.db.engine import Database
from core.db.records import User


def show(db: Database, user: User) -> None:
    """Show the screen."""
    st.caption(f"Virtual staining {user.name} {db is not None}")
