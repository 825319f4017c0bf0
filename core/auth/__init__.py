"""Passwords, sign-in, sessions, tokens and roles."""

from core.auth.accounts import (
    NAME_RULE,
    add_user,
    check_name,
    create_first_admin,
    find_user,
    list_users,
    reset_password,
    set_disabled,
    set_role,
    users_exist,
)
from core.auth.passwords import MIN_PASSWORD, PASSWORD_RULE
from core.auth.roles import command_line_user, guest_user, require
from core.auth.setup import announce_setup_code, setup_code
from core.auth.signin import (
    change_password,
    sign_in,
    sign_out,
    sign_out_everywhere,
    start_guest,
    user_for_session,
)
from core.auth.tokens import create_token, list_tokens, revoke_token, user_for_token

__all__ = [
    "MIN_PASSWORD",
    "NAME_RULE",
    "PASSWORD_RULE",
    "add_user",
    "announce_setup_code",
    "change_password",
    "check_name",
    "command_line_user",
    "create_first_admin",
    "create_token",
    "find_user",
    "guest_user",
    "list_tokens",
    "list_users",
    "require",
    "reset_password",
    "revoke_token",
    "set_disabled",
    "set_role",
    "setup_code",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "start_guest",
    "user_for_session",
    "user_for_token",
    "users_exist",
]
