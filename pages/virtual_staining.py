"""Stain H&E virtually: one image, many or a ZIP; compare, trust or doubt, filter, keep."""

import streamlit as st

from core.labels import Role
from pages.ui import guard
from pages.ui.staining import screen

user = guard.require_role(Role.RESEARCHER, Role.ADMIN)
db = guard.database()

st.title("Virtual staining")
screen.show(db, user)
