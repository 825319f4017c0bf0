"""The two forms of the sign-in page: sign in, and create the first administrator."""

from typing import Never

import streamlit as st

from core import auth
from core.auth import messages
from core.auth.origin import is_this_machine
from core.auth.tickets import issue_ticket
from core.db.engine import Database
from core.db.settings import get_app_settings
from core.errors import InvalidOptionError
from pages.ui import browser, errors, guard


def enter(db: Database, session_token: str) -> Never:
    """Hand the new session to the browser, which then opens the start page."""
    with errors.shown():
        ticket = issue_ticket(db, session_token)
    browser.go(browser.accept_address(ticket))


def show_refusal() -> None:
    """The sentence for the code that a route left in the address."""
    sentence = messages.describe(st.query_params.get("error", ""))
    if sentence:
        st.error(sentence, icon=":material/error:")


def sign_in(db: Database) -> None:
    """Name and password of somebody who has an account, and the guest's way in where it is open."""
    with st.form("sign_in", border=False):
        name = st.text_input("Name", key="name", autocomplete="username", max_chars=64)
        password = st.text_input("Password", type="password", key="password", autocomplete="current-password")
        sent = st.form_submit_button("Sign in", type="primary", width="stretch", key="submit")
    if sent:
        with errors.shown(stop=False):
            enter(db, auth.sign_in(db, name or "", password or "", address=guard.address()))
    if get_app_settings(db).guest_mode and st.button(
        "Continue as guest (samples only)", type="tertiary", width="stretch", key="guest"
    ):
        with errors.shown(stop=False):
            enter(db, auth.start_guest(db, address=guard.address()))


def create_administrator(db: Database) -> None:
    """The first start: one person makes the account that makes the others."""
    local = is_this_machine(st.context.ip_address, st.context.headers)
    with st.form("setup", border=False):
        name = st.text_input("Name", key="name", autocomplete="username", max_chars=64)
        password = st.text_input(
            "Password", type="password", key="password", autocomplete="new-password", help=auth.PASSWORD_RULE
        )
        again = st.text_input("Password again", type="password", key="password_again", autocomplete="new-password")
        code = "" if local else st.text_input("One-time code", key="code", help="Printed in the server's terminal.")
        sent = st.form_submit_button("Create the administrator", type="primary", width="stretch", key="submit")
    if not sent:
        return
    with errors.shown(stop=False):
        if password != again:
            raise InvalidOptionError("The two passwords differ. Type the same one twice.")
        address = guard.address()
        auth.create_first_admin(db, name or "", password or "", local=local, address=address, code=code)
        enter(db, auth.sign_in(db, name or "", password or "", address=address))
