"""Who may do what."""

from dataclasses import replace

import pytest

from core.auth import command_line_user, guest_user, require
from core.db import User
from core.errors import AuthenticationError, PermissionDeniedError
from core.labels import Role

PAUL = replace(guest_user(), id=7, name="Paul", role=Role.PATHOLOGIST)


def test_lets_the_named_roles_pass() -> None:
    assert require(PAUL, Role.PATHOLOGIST, Role.RESEARCHER) is PAUL
    assert require(PAUL) is PAUL
    assert require(command_line_user(), Role.ADMIN).role is Role.ADMIN
    assert require(guest_user(), Role.GUEST).is_guest


def test_asks_to_sign_in() -> None:
    with pytest.raises(AuthenticationError, match="sign in"):
        require(None)


@pytest.mark.parametrize(
    ("user", "roles"),
    [(PAUL, (Role.ADMIN,)), (guest_user(), ()), (guest_user(), (Role.PATHOLOGIST,))],
)
def test_says_which_role_is_needed(user: User, roles: tuple[Role, ...]) -> None:
    with pytest.raises(PermissionDeniedError, match=f"yours is {user.role.value}"):
        require(user, *roles)


def test_a_disabled_account_may_do_nothing() -> None:
    with pytest.raises(PermissionDeniedError, match="disabled"):
        require(replace(PAUL, disabled=True))
