"""Sample class-conditioned images, look whether they are any good and whether they are copies, keep the best."""

import streamlit as st

from core.labels import Role
from pages.ui import guard
from pages.ui.synthesis import collections, gallery, health, interpolate, places, reader_test

user = guard.require_role(Role.RESEARCHER, Role.ADMIN)
db = guard.database()

st.title("Synthesis")
places.restore()
parts = {
    places.GALLERY: gallery.show,
    places.INTERPOLATE: interpolate.show,
    places.HEALTH: health.show,
    places.READER_TEST: reader_test.show,
    places.COLLECTIONS: collections.show,
}
tabs = st.tabs(list(parts), key=places.TAB, on_change="rerun")
for tab, part in zip(tabs, parts.values(), strict=True):
    if tab.open:
        with tab:
            part(db, user)
