"""Reader tests that are offered: taken image by image, resumed where they were left, with one's own result."""

import streamlit as st

from pages.ui import guard
from pages.ui.synthesis import reading_list

user = guard.require_role(*guard.MEMBERS)
db = guard.database()

st.title("Reader tests")
test_id = reading_list.opened()
if test_id:
    reading_list.show_test(db, user, test_id)
else:
    reading_list.show(db, user)
