"""API tokens."""

from datetime import UTC, datetime, timedelta

import pytest

from core import auth
from core.db import Database, User
from core.errors import InvalidOptionError, NotFoundError, PermissionDeniedError
from core.labels import Role

PASSWORD = "correct horse battery"


@pytest.fixture
def anna(database: Database) -> User:
    """The administrator."""
    return auth.create_first_admin(database, "Anna", PASSWORD, local=True)


@pytest.fixture
def paul(database: Database, anna: User) -> User:
    """A pathologist."""
    return auth.add_user(database, anna, "Paul", PASSWORD, Role.PATHOLOGIST)


def test_a_token_stands_for_its_owner(database: Database, paul: User) -> None:
    token = auth.create_token(database, paul, " phone ")
    assert auth.user_for_token(database, token) == paul
    assert token == token.lower()  # the published phone application lower-cases it
    assert [info.label for info in auth.list_tokens(database, paul)] == ["phone"]


def test_the_last_use_is_known_to_the_minute(database: Database, paul: User) -> None:
    token = auth.create_token(database, paul, "phone")
    first = datetime(2030, 1, 1, tzinfo=UTC)
    assert auth.list_tokens(database, paul)[0].last_used is None
    auth.user_for_token(database, token, now=first)
    auth.user_for_token(database, token, now=first + timedelta(seconds=30))
    assert auth.list_tokens(database, paul)[0].last_used == first


def test_a_revoked_token_is_refused(database: Database, paul: User) -> None:
    token = auth.create_token(database, paul, "phone")
    auth.revoke_token(database, paul, auth.list_tokens(database, paul)[0].id)
    assert auth.user_for_token(database, token) is None
    assert auth.list_tokens(database, paul) == []


def test_nobody_revokes_or_sees_anothers_token(database: Database, anna: User, paul: User) -> None:
    token = auth.create_token(database, paul, "phone")
    token_id = auth.list_tokens(database, paul)[0].id
    with pytest.raises(NotFoundError):
        auth.revoke_token(database, anna, token_id)
    assert auth.list_tokens(database, anna) == []
    assert auth.user_for_token(database, token) == paul


@pytest.mark.parametrize("label", ["", "  ", "x" * 65, "a\nb"])
def test_a_token_needs_a_label(database: Database, paul: User, label: str) -> None:
    with pytest.raises(InvalidOptionError, match="1 to 64"):
        auth.create_token(database, paul, label)


def test_guests_have_no_tokens(database: Database) -> None:
    with pytest.raises(PermissionDeniedError):
        auth.create_token(database, auth.guest_user(), "phone")
