"""Who is looking: every page's first statement asks here."""

import streamlit as st

from core.auth import require, user_for_session
from core.auth.origin import client_address
from core.db import get_database
from core.db.engine import Database
from core.db.records import User
from core.errors import AppError
from core.labels import Role
from pages.ui import errors

COOKIE = "workbench_session"
MEMBERS = (Role.PATHOLOGIST, Role.RESEARCHER, Role.ADMIN)
EVERYBODY = (*MEMBERS, Role.GUEST)


def session_token() -> str | None:
    """The value of the session cookie that came with this connection."""
    return st.context.cookies.get(COOKIE)


def address() -> str:
    """The client's network address, as sign-in delays and the audit log count it."""
    return client_address(st.context.ip_address, st.context.headers)


def database() -> Database:
    """The database; a sentence instead of the page where it cannot be opened."""
    with errors.shown():
        return get_database()


def current_user() -> User | None:
    """Who is signed in; asked again on every run, so that sign-out and disabling work at once."""
    db = database()
    with errors.shown():
        return user_for_session(db, session_token())


def require_user() -> User:
    """Return who is signed in, guests included; nobody else sees anything of the page."""
    return require_role(*EVERYBODY)


def require_role(*roles: Role) -> User:
    """Return who is signed in with one of the roles; nobody else sees anything of the page."""
    user = current_user()
    try:
        return require(user, *roles)
    except AppError as error:
        st.error(str(error), icon=":material/lock:")
        st.stop()
