"""The main script: which screens there are depends on who is signed in."""

import streamlit as st

from pages.ui import chrome, guard

chrome.header()
body = st.container()
chrome.footer()
with body:
    user = guard.current_user()
    page = st.navigation(chrome.pages_for(user), position="hidden" if user is None else "top")
    page.run()
