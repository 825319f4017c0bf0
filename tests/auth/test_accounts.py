"""The first administrator, and what administrators do with accounts."""

import logging

import pytest

from core import auth
from core.auth.setup import code_fits
from core.auth.throttle import FREE_PER_NAME
from core.db import Database, User
from core.db.audit import list_audit
from core.errors import (
    AuthenticationError,
    ConflictError,
    InvalidOptionError,
    NotFoundError,
    PermissionDeniedError,
    TooManyAttemptsError,
)
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


def test_the_first_user_is_an_administrator(database: Database) -> None:
    assert not auth.users_exist(database)
    anna = auth.create_first_admin(database, "  Anna ", PASSWORD, local=True)
    assert (anna.name, anna.role, anna.disabled) == ("Anna", Role.ADMIN, False)
    assert auth.users_exist(database)


def test_there_is_only_one_first_administrator(database: Database, anna: User) -> None:  # noqa: ARG001
    with pytest.raises(ConflictError, match="exists already"):
        auth.create_first_admin(database, "Mallory", PASSWORD, local=True)


@pytest.mark.parametrize("code", [None, "", "ABCD-EFGH-JKLM-NPQR"])
def test_from_another_machine_the_setup_code_is_needed(database: Database, code: str | None) -> None:
    with pytest.raises(AuthenticationError, match="setup code"):
        auth.create_first_admin(database, "Mallory", PASSWORD, local=False, address="192.0.2.7", code=code)
    assert not auth.users_exist(database)


def test_the_setup_code_may_be_typed_in_small_letters(database: Database) -> None:
    code = auth.setup_code().lower().replace("-", " ")
    auth.create_first_admin(database, "Anna", PASSWORD, local=False, address="192.0.2.7", code=code)
    assert auth.users_exist(database)


def test_the_setup_code_cannot_be_tried_for_ever(database: Database) -> None:
    def attempt(code: str) -> None:
        auth.create_first_admin(database, "Mallory", PASSWORD, local=False, address="192.0.2.7", code=code)

    for number in range(FREE_PER_NAME + 1):
        with pytest.raises(AuthenticationError, match="setup code"):
            attempt(f"{number}")
    with pytest.raises(TooManyAttemptsError):
        attempt(auth.setup_code())


def test_the_setup_code_is_printed_while_nobody_exists(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        auth.announce_setup_code(database)
    assert auth.setup_code() in caplog.text
    assert code_fits(auth.setup_code())
    caplog.clear()
    auth.create_first_admin(database, "Anna", PASSWORD, local=True)
    auth.announce_setup_code(database)
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "tab\there", "zero\u200bwidth", "line\nbreak"])
def test_names_are_visible_and_short(database: Database, anna: User, name: str) -> None:
    with pytest.raises(InvalidOptionError, match="1 to 64 visible characters"):
        auth.add_user(database, anna, name, PASSWORD, Role.RESEARCHER)


@pytest.mark.parametrize("name", ["paul", "PAUL", " Paul ", "\uff30aul"])
def test_names_are_unique_whatever_their_case(database: Database, anna: User, paul: User, name: str) -> None:
    with pytest.raises(ConflictError, match="already"):
        auth.add_user(database, anna, name, PASSWORD, Role.RESEARCHER)
    assert auth.find_user(database, anna, name) == paul


@pytest.mark.parametrize("password", ["", "short", "123456789", "Margarethe", "x" * 1025])
def test_passwords_are_long_and_not_the_name(database: Database, anna: User, password: str) -> None:
    with pytest.raises(InvalidOptionError, match="password"):
        auth.add_user(database, anna, "margarethe", password, Role.RESEARCHER)


def test_a_guest_account_cannot_be_added(database: Database, anna: User) -> None:
    with pytest.raises(InvalidOptionError, match="Guests have no account"):
        auth.add_user(database, anna, "Gus", PASSWORD, Role.GUEST)


def test_only_administrators_manage_accounts(database: Database, paul: User) -> None:
    for attempt in (
        lambda: auth.add_user(database, paul, "Rex", PASSWORD, Role.ADMIN),
        lambda: auth.set_role(database, paul, paul.id, Role.ADMIN),
        lambda: auth.set_disabled(database, paul, 1, True),
        lambda: auth.reset_password(database, paul, 1, "a new password"),
        lambda: auth.list_users(database, paul),
        lambda: auth.find_user(database, paul, "Anna"),
    ):
        with pytest.raises(PermissionDeniedError):
            attempt()


def test_the_last_administrator_stays(database: Database, anna: User, paul: User) -> None:
    with pytest.raises(ConflictError, match="last administrator"):
        auth.set_role(database, anna, anna.id, Role.PATHOLOGIST)
    with pytest.raises(ConflictError, match="last administrator"):
        auth.set_disabled(database, anna, anna.id, True)
    auth.set_role(database, anna, paul.id, Role.ADMIN)
    assert auth.set_role(database, anna, anna.id, Role.PATHOLOGIST).role is Role.PATHOLOGIST


def test_a_new_role_ends_the_sessions(database: Database, anna: User, paul: User) -> None:
    token = auth.sign_in(database, "Paul", PASSWORD)
    auth.set_role(database, anna, paul.id, Role.RESEARCHER)
    assert auth.user_for_session(database, token) is None


def test_a_disabled_account_is_out_at_once(database: Database, anna: User, paul: User) -> None:
    session, token = auth.sign_in(database, "Paul", PASSWORD), auth.create_token(database, paul, "phone")
    auth.set_disabled(database, anna, paul.id, True)
    assert auth.user_for_session(database, session) is None
    assert auth.user_for_token(database, token) is None
    with pytest.raises(AuthenticationError, match="disabled"):
        auth.sign_in(database, "Paul", PASSWORD)
    auth.set_disabled(database, anna, paul.id, False)
    assert auth.user_for_session(database, session) is None
    assert auth.user_for_token(database, token) == paul


def test_a_reset_password_ends_sessions_and_tokens(database: Database, anna: User, paul: User) -> None:
    session, token = auth.sign_in(database, "Paul", PASSWORD), auth.create_token(database, paul, "phone")
    auth.reset_password(database, anna, paul.id, "another long one")
    assert auth.user_for_session(database, session) is None
    assert auth.user_for_token(database, token) is None
    assert auth.sign_in(database, "Paul", "another long one")


def test_an_unknown_user_is_not_found(database: Database, anna: User) -> None:
    for attempt in (
        lambda: auth.set_role(database, anna, 99, Role.ADMIN),
        lambda: auth.set_disabled(database, anna, 99, True),
        lambda: auth.reset_password(database, anna, 99, "a new password"),
        lambda: auth.find_user(database, anna, "nobody"),
    ):
        with pytest.raises(NotFoundError):
            attempt()


def test_administration_is_in_the_audit_log_without_passwords(database: Database, anna: User, paul: User) -> None:
    auth.set_role(database, anna, paul.id, Role.RESEARCHER)
    auth.set_disabled(database, anna, paul.id, True)
    auth.reset_password(database, anna, paul.id, "another long one")
    log = list_audit(database, anna)
    assert [(row.user_name, row.action, row.detail) for row in reversed(log)] == [
        ("Anna", "first administrator created", ""),
        ("Anna", "user added", "Paul, pathologist"),
        ("Anna", "role changed", "Paul: pathologist -> researcher"),
        ("Anna", "user disabled", "Paul"),
        ("Anna", "password reset", "Paul"),
    ]
