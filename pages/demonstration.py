"""The guided demonstration: five steps with samples only, nothing stored."""

import streamlit as st

from pages.ui import guard
from pages.ui.demonstration import tour

user = guard.require_user()
db = guard.database()

st.title("Demonstration")
tour.show(db, user)
