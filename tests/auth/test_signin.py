"""Signing in and out, expiry, delays after failures."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import auth
from core.auth import throttle
from core.auth.passwords import hash_password, needs_rehash, verify_password
from core.config import Settings, get_settings
from core.db import Database, User, open_database
from core.db.audit import list_audit
from core.db.settings import get_app_settings, save_app_settings
from core.errors import (
    AuthenticationError,
    InvalidOptionError,
    PermissionDeniedError,
    TooManyAttemptsError,
)

PASSWORD = "correct horse battery"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def anna(database: Database) -> User:
    """The administrator."""
    return auth.create_first_admin(database, "Anna", PASSWORD, local=True)


def fail(db: Database, times: int, *, name: str = "Anna", address: str = "192.0.2.7", now: datetime = NOW) -> None:
    for _ in range(times):
        with pytest.raises(AuthenticationError, match="name or the password is wrong"):
            auth.sign_in(db, name, "a wrong password", address=address, now=now)


def test_the_right_password_opens_a_session(database: Database, anna: User) -> None:
    token = auth.sign_in(database, " ANNA ", PASSWORD)
    assert auth.user_for_session(database, token) == anna
    assert len(token) >= 43  # 256 bits


def test_unknown_names_and_wrong_passwords_get_the_same_answer(database: Database, anna: User) -> None:  # noqa: ARG001
    said = []
    for name in ("Anna", "Nobody"):
        with pytest.raises(AuthenticationError) as caught:
            auth.sign_in(database, name, "a wrong password")
        said.append(str(caught.value))
    assert said == ["The name or the password is wrong."] * 2


def test_an_unknown_name_costs_as_much_work_as_a_known_one(database: Database, anna: User) -> None:  # noqa: ARG001
    def work_s(name: str) -> float:
        started = time.process_time()
        fail(database, 1, name=name)
        return time.process_time() - started

    fail(database, 1)
    known = min(work_s("Anna") for _ in range(3))
    unknown = min(work_s(name) for name in ("Nobody", "No one", "Nemo"))
    assert 0.5 < unknown / known < 2


@pytest.mark.parametrize("name", ["", "x" * 100_000, "nul\x00", "half \ud800 character", "'; DROP TABLE users; --"])
def test_odd_names_are_wrong_names(database: Database, anna: User, name: str) -> None:  # noqa: ARG001
    fail(database, 1, name=name)


@pytest.mark.parametrize("token", [None, "", "unknown", "x" * 10_000, "'; DROP TABLE users; --", "\udcff"])
def test_an_unknown_session_belongs_to_nobody(database: Database, token: str | None) -> None:
    assert auth.user_for_session(database, token) is None
    assert auth.user_for_token(database, token) is None
    auth.sign_out(database, token)


def test_the_database_knows_no_secret(database: Database, anna: User, settings: Settings) -> None:
    secrets = [auth.sign_in(database, "Anna", PASSWORD), auth.create_token(database, anna, "phone"), PASSWORD]
    with sqlite3.connect(settings.data_dir / "workbench.db") as raw:
        dump = "\n".join(raw.iterdump())
    assert "$argon2id$" in dump
    assert not [secret for secret in secrets if secret in dump]


def test_a_session_ends_when_idle(database: Database, anna: User) -> None:
    idle = timedelta(minutes=get_settings().session_idle_minutes)
    token = auth.sign_in(database, "Anna", PASSWORD, now=NOW)
    almost = NOW + idle - timedelta(seconds=1)
    assert auth.user_for_session(database, token, now=almost) == anna
    assert auth.user_for_session(database, token, now=almost + idle - timedelta(seconds=1)) == anna
    assert auth.user_for_session(database, token, now=almost + idle * 3) is None


def test_a_session_ends_in_the_end_however_busy(database: Database, anna: User) -> None:
    token = auth.sign_in(database, "Anna", PASSWORD, now=NOW)
    end = NOW + timedelta(days=get_settings().session_days)
    now = NOW
    while now < end:
        assert auth.user_for_session(database, token, now=now) == anna
        now += timedelta(hours=4)
    assert auth.user_for_session(database, token, now=end) is None


def test_signing_out_ends_this_session_only(database: Database, anna: User) -> None:
    first, second = auth.sign_in(database, "Anna", PASSWORD), auth.sign_in(database, "Anna", PASSWORD)
    auth.sign_out(database, first)
    assert auth.user_for_session(database, first) is None
    assert auth.user_for_session(database, second) == anna


def test_signing_out_everywhere_ends_all_sessions(database: Database, anna: User) -> None:
    tokens = [auth.sign_in(database, "Anna", PASSWORD) for _ in range(2)]
    assert auth.sign_out_everywhere(database, anna) == 2
    assert [auth.user_for_session(database, token) for token in tokens] == [None, None]


def test_changing_the_password_ends_the_other_sessions(database: Database, anna: User) -> None:
    here, elsewhere = auth.sign_in(database, "Anna", PASSWORD), auth.sign_in(database, "Anna", PASSWORD)
    auth.change_password(database, anna, PASSWORD, "another long one", keep_session=here)
    assert auth.user_for_session(database, here) == anna
    assert auth.user_for_session(database, elsewhere) is None
    assert auth.sign_in(database, "Anna", "another long one")
    fail(database, 1)


def test_changing_the_password_needs_the_old_one_and_a_good_new_one(database: Database, anna: User) -> None:
    with pytest.raises(AuthenticationError, match="old password is wrong"):
        auth.change_password(database, anna, "not the old one", "another long one")
    with pytest.raises(InvalidOptionError, match="at least 10"):
        auth.change_password(database, anna, PASSWORD, "short")
    assert auth.sign_in(database, "Anna", PASSWORD)


def test_the_delay_grows_with_every_failure_under_a_name(database: Database, anna: User) -> None:  # noqa: ARG001
    fail(database, throttle.FREE_PER_NAME)
    now, waits = NOW, []
    for _ in range(3):
        fail(database, 1, now=now)
        with pytest.raises(TooManyAttemptsError) as caught:
            auth.sign_in(database, "anna", PASSWORD, address="198.51.100.1", now=now)
        waits.append(caught.value.wait_s)
        now += timedelta(seconds=caught.value.wait_s)
    assert waits == [2, 4, 8]
    assert auth.sign_in(database, "Anna", PASSWORD, now=now)


def test_the_delay_grows_with_failures_from_an_address_under_any_name(database: Database, anna: User) -> None:  # noqa: ARG001
    for number in range(throttle.FREE_PER_ADDRESS + 1):
        fail(database, 1, name=f"name {number}")
    with pytest.raises(TooManyAttemptsError):
        auth.sign_in(database, "Anna", PASSWORD, address="192.0.2.7", now=NOW)
    assert auth.sign_in(database, "Anna", PASSWORD, address="198.51.100.1", now=NOW)


def test_a_success_forgets_the_failures_of_the_name(database: Database, anna: User) -> None:  # noqa: ARG001
    for _ in range(3):
        fail(database, throttle.FREE_PER_NAME - 1)
        auth.sign_in(database, "Anna", PASSWORD, address="192.0.2.7", now=NOW)


def test_a_restarted_or_second_process_knows_the_failures(database: Database, anna: User, settings: Settings) -> None:  # noqa: ARG001
    fail(database, throttle.FREE_PER_NAME + 1)
    other = open_database(f"sqlite:///{settings.data_dir / 'workbench.db'}")
    with pytest.raises(TooManyAttemptsError):
        auth.sign_in(other, "Anna", PASSWORD, now=NOW)


def test_a_clock_that_was_set_back_blocks_nobody(database: Database, anna: User) -> None:  # noqa: ARG001
    fail(database, throttle.FREE_PER_NAME + 1)
    assert auth.sign_in(database, "Anna", PASSWORD, now=NOW - timedelta(days=365))


def test_many_attempts_at_once_cannot_slip_through(database: Database, anna: User) -> None:  # noqa: ARG001
    def attempt(_: int) -> str:
        try:
            return auth.sign_in(database, "Anna", "a wrong password", now=NOW)
        except AuthenticationError as error:
            return type(error).__name__

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(attempt, range(12)))
    assert answers.count("AuthenticationError") == throttle.FREE_PER_NAME + 1
    assert answers.count("TooManyAttemptsError") == 12 - throttle.FREE_PER_NAME - 1


def test_what_was_typed_as_an_unknown_name_is_stored_nowhere(
    database: Database, anna: User, settings: Settings
) -> None:
    fail(database, 1, name="my secret password")
    with sqlite3.connect(settings.data_dir / "workbench.db") as raw:
        assert "my secret password" not in "\n".join(raw.iterdump())
    assert list_audit(database, anna)[0].detail == "unknown name"


def test_sign_ins_and_failures_are_in_the_audit_log(database: Database, anna: User) -> None:
    fail(database, 1)
    auth.sign_out(database, auth.sign_in(database, "Anna", PASSWORD, address="192.0.2.7"))
    log = [(row.user_name, row.action, row.detail, row.address) for row in list_audit(database, anna)]
    assert log[2::-1] == [
        ("", "sign-in failed", "wrong password for Anna", "192.0.2.7"),
        ("Anna", "sign-in", "", "192.0.2.7"),
        ("Anna", "sign-out", "", ""),
    ]


def test_guests_come_in_only_while_they_are_allowed(database: Database, anna: User) -> None:
    with pytest.raises(PermissionDeniedError, match="Guests are not allowed"):
        auth.start_guest(database)
    settings = get_app_settings(database)
    save_app_settings(database, anna, replace(settings, guest_mode=True))
    token = auth.start_guest(database)
    assert auth.user_for_session(database, token) == auth.guest_user()
    save_app_settings(database, anna, settings)
    assert auth.user_for_session(database, token) is None


def test_a_database_that_cannot_be_written_signs_nobody_out(database: Database, anna: User, settings: Settings) -> None:
    file = settings.data_dir / "workbench.db"
    impatient = open_database(f"sqlite:///{file}", busy_timeout_s=0.1)
    token = auth.sign_in(database, "Anna", PASSWORD, now=NOW)
    api = auth.create_token(database, anna, "phone")
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert auth.user_for_session(impatient, token, now=NOW + timedelta(hours=1)) == anna
        assert auth.user_for_token(impatient, api) == anna
        other.execute("ROLLBACK")


def test_hashes_are_argon2id_at_full_cost_by_default(settings: Settings) -> None:  # noqa: ARG001
    fields = Settings.model_fields
    assert (fields["argon2_memory_kib"].default, fields["argon2_passes"].default) == (65536, 3)
    hashed = hash_password(PASSWORD)
    assert hashed.startswith("$argon2id$")
    assert verify_password(hashed, PASSWORD)
    assert not verify_password(hashed, PASSWORD + "!")
    assert not verify_password("damaged", PASSWORD)


def test_an_old_hash_is_renewed_at_sign_in(
    database: Database,
    anna: User,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    monkeypatch.setenv("ARGON2_PASSES", "3")
    get_settings.cache_clear()
    auth.sign_in(database, "Anna", PASSWORD)
    with sqlite3.connect(settings.data_dir / "workbench.db") as raw:
        (stored,) = raw.execute("SELECT password_hash FROM users").fetchone()
    assert "t=3" in stored
    assert not needs_rehash(stored)
