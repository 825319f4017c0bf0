"""Train networks: choose images and a recipe, watch the run, use its weights."""

import streamlit as st

from core.labels import Role
from pages.ui import guard, training_new, training_places, training_runs, training_sets

user = guard.require_role(Role.RESEARCHER, Role.ADMIN)
db = guard.database()

st.title("Training")
training_places.restore()
parts = {
    training_places.NEW: training_new.show,
    training_places.RUNS: training_runs.show,
    training_places.DATA: training_sets.show,
}
tabs = st.tabs(list(parts), key=training_places.TAB, on_change="rerun")
for tab, part in zip(tabs, parts.values(), strict=True):
    if tab.open:
        with tab:
            part(db, user)
