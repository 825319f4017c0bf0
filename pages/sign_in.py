"""Sign in; on the first start, create the administrator."""

import streamlit as st

from core import auth
from pages.ui import errors, guard, sign_in_forms, work

db = guard.database()
with errors.shown():
    first_start = not auth.users_exist(db)
with st.container(horizontal_alignment="center"), st.container(width=420):
    st.title("IHC Workbench", text_alignment="center")
    st.caption("HER2 score and PR status of H&E and IHC images", text_alignment="center")
    with st.container(border=True):
        st.subheader("Create the administrator" if first_start else "Sign in")
        sign_in_forms.show_refusal()
        if first_start:
            st.caption("This workbench is new. The first account manages the others.")
            sign_in_forms.create_administrator(db)
        else:
            sign_in_forms.sign_in(db)
work.warm_up(db)  # while the password is typed
