"""A card per model: what it does, its active weights, figures on unseen cases, limits, licence."""

import streamlit as st

from pages.ui import guard, model_states

user = guard.require_user()
db = guard.database()

st.title("Models")
st.caption(
    "The figures on each card are from cases the model never saw. Bundled weights are small-data demonstrations."
)
with st.spinner("Looking at the weights..."):
    views = model_states.views(db)
for view in views:
    with st.container(border=True, key=f"model-{view.name}"):
        model_states.show_state(view)
        model_states.offer_roll_back(view, db, user)
        if view.text:
            with st.expander("Model card", icon=":material/description:", key=f"card-{view.name}"):
                st.markdown(view.text)
        st.caption(f"{view.licence} · {view.source}")
