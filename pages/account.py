"""The own account: password, API tokens, signing out everywhere."""

import streamlit as st

from pages.ui import account_parts, guard

user = guard.require_role(*guard.MEMBERS)
db = guard.database()

st.title("Account")
st.caption(f"Signed in as {user.name}, {user.role.value}")
left, right = st.columns(2, gap="large")
with left:
    st.subheader("Password", icon=":material/key:")
    account_parts.change_password(db, user)
    st.subheader("Sessions", icon=":material/devices:")
    account_parts.end_sessions(db, user)
with right:
    st.subheader("API tokens", icon=":material/api:")
    account_parts.make_token(db, user)
    account_parts.show_tokens(db, user)
