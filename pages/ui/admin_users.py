"""Users: add, change the role, disable, give a new password. Passwords are never shown."""

import streamlit as st

from core import auth
from core.db.engine import Database
from core.db.records import User
from core.labels import Role
from pages.ui import errors, times

ROLES = [Role.PATHOLOGIST, Role.RESEARCHER, Role.ADMIN]


def show(db: Database, actor: User) -> None:
    """The list of users, and a form for another one."""
    with errors.shown():
        users = auth.list_users(db, actor)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader(f"{len(users)} user{'s' if len(users) != 1 else ''}")
        for user in users:
            _line(db, actor, user)
    with right:
        st.subheader("Add a user")
        _add(db, actor)


def _line(db: Database, actor: User, user: User) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"user-{user.id}"):
        with st.container(gap=None, width=170):
            st.text(user.name)
            st.caption(f"since {times.local(user.created).split(',')[0]}" + (" · disabled" if user.disabled else ""))
        role = st.selectbox(
            f"Role of {user.name}",
            ROLES,
            index=ROLES.index(user.role),
            format_func=lambda each: each.value,
            key=f"role-{user.id}-{user.role.value}",
            label_visibility="collapsed",
            width=140,
        )
        label = "Enable" if user.disabled else "Disable"
        toggled = st.button(label, key=f"disable-{user.id}", disabled=user.id == actor.id)
        with st.popover("New password", key=f"reset-{user.id}"):
            _reset(db, actor, user)
    with errors.shown(stop=False):
        if role is not user.role:
            auth.set_role(db, actor, user.id, role)
            st.rerun()
        if toggled:
            auth.set_disabled(db, actor, user.id, not user.disabled)
            st.rerun()


def _reset(db: Database, actor: User, user: User) -> None:
    with st.form(f"reset_form-{user.id}", border=False, clear_on_submit=True):
        new = st.text_input(
            f"New password for {user.name}", type="password", key=f"new_password-{user.id}", help=auth.PASSWORD_RULE
        )
        if st.form_submit_button("Set", key=f"set_password-{user.id}"):
            with errors.shown(stop=False):
                auth.reset_password(db, actor, user.id, new or "")
                st.success("Set. Sessions and tokens of this user have ended.", icon=":material/check:")


def _add(db: Database, actor: User) -> None:
    with st.form("add_user", clear_on_submit=True):
        name = st.text_input("Name", key="new_user_name", max_chars=64, autocomplete="off")
        password = st.text_input(
            "First password", type="password", key="new_user_password", help=auth.PASSWORD_RULE, autocomplete="off"
        )
        role = st.selectbox("Role", ROLES, format_func=lambda each: each.value, key="new_user_role")
        sent = st.form_submit_button("Add", icon=":material/person_add:", type="primary", key="add_user_submit")
    if sent:
        with errors.shown(stop=False):
            added = auth.add_user(db, actor, name or "", password or "", role)
            st.toast(f"{added.name} can sign in now.", icon=":material/check:")
            st.rerun()
