"""The parts of the account page."""

import streamlit as st

from core import auth
from core.db.engine import Database
from core.db.records import User
from core.errors import InvalidOptionError
from pages.ui import browser, errors, guard, times

NEW_TOKEN = "account_new_token"


def change_password(db: Database, user: User) -> None:
    """Old password, new one twice. All other sessions end."""
    with st.form("password_form", clear_on_submit=True):
        old = st.text_input("Present password", type="password", key="old_password", autocomplete="current-password")
        new = st.text_input(
            "New password",
            type="password",
            key="new_password",
            autocomplete="new-password",
            help=auth.PASSWORD_RULE,
        )
        again = st.text_input("New password again", type="password", key="again", autocomplete="new-password")
        sent = st.form_submit_button("Change password", icon=":material/save:", key="change_password")
    if sent:
        with errors.shown(stop=False):
            if new != again:
                raise InvalidOptionError("The two new passwords differ. Type the same one twice.")
            auth.change_password(db, user, old or "", new or "", keep_session=guard.session_token())
            st.success("The password is changed. Other browsers were signed out.", icon=":material/check:")


def end_sessions(db: Database, user: User) -> None:
    """Sign out here, or in every browser."""
    with st.container(horizontal=True):
        if st.button("Sign out", icon=":material/logout:", key="sign_out"):
            browser.go(browser.SIGN_OUT)
        if st.button("Sign out everywhere", icon=":material/logout:", key="sign_out_everywhere"):
            with errors.shown():
                auth.sign_out_everywhere(db, user)
            browser.go(browser.SIGN_OUT)
    st.caption("Everywhere: every browser that is signed in with this account, this one too. API tokens stay.")


def make_token(db: Database, user: User) -> None:
    """Make a token and show it, once."""
    with st.form("token_form", clear_on_submit=True):
        label = st.text_input("What is it for?", key="token_label", max_chars=64, placeholder="Phone, script, ...")
        sent = st.form_submit_button("Make a token", icon=":material/add:", key="make_token")
    if sent:
        with errors.shown(stop=False):
            st.session_state[NEW_TOKEN] = auth.create_token(db, user, label or "")
    token = st.session_state.get(NEW_TOKEN)
    if token:
        with st.container(border=True):
            st.markdown("**Copy it now: it is not shown again.**")
            st.code(token, language=None, wrap_lines=True)
            st.button("Done", key="token_done", on_click=lambda: st.session_state.pop(NEW_TOKEN, None))


def show_tokens(db: Database, user: User) -> None:
    """The tokens there are, each with Revoke."""
    with errors.shown():
        tokens = auth.list_tokens(db, user)
    if not tokens:
        st.caption("No tokens yet. A token lets a program use the API in your name: Authorization: Bearer TOKEN.")
    for token in tokens:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"token-{token.id}"):
            with st.container(gap=None):
                st.text(token.label)
                used = f"last used {times.local(token.last_used)}" if token.last_used else "never used"
                st.caption(f"made {times.local(token.created)}, {used}")
            if st.button("Revoke", icon=":material/delete:", key=f"revoke-{token.id}"):
                with errors.shown():
                    auth.revoke_token(db, user, token.id)
                st.rerun()
