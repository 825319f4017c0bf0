"""Users and tokens from the command line."""

import pytest
from typer.testing import CliRunner, Result

from core import auth
from core.cli import app
from core.db import Database
from core.labels import Role

PASSWORD = "brown membranes 42"

pytestmark = pytest.mark.usefixtures("database")


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def add(name: str, role: str) -> Result:
    return run("user", "add", name, "--role", role, "--password-stdin", stdin=f"{PASSWORD}\n")


def test_an_added_user_can_sign_in(database: Database) -> None:
    assert add("Anna", "admin").output == "Added Anna as admin.\n"
    user = auth.user_for_session(database, auth.sign_in(database, "anna", PASSWORD))
    assert user is not None
    assert (user.name, user.role) == ("Anna", Role.ADMIN)


def test_lists_users_with_role_and_state() -> None:
    add("Anna", "admin")
    add("Ben", "researcher")
    assert run("user", "disable", "Ben").output == "Ben is disabled.\n"
    lines = run("user", "list").output.splitlines()
    assert [line.split()[:3] for line in lines] == [["Anna", "admin", "active"], ["Ben", "researcher", "disabled"]]


def test_an_empty_installation_says_how_to_begin() -> None:
    assert "user add NAME" in run("user", "list").stderr


def test_a_reset_password_replaces_the_old_one(database: Database) -> None:
    add("Anna", "admin")
    done = run("user", "reset-password", "Anna", "--password-stdin", stdin="another password 1\n")
    assert done.exit_code == 0
    assert auth.sign_in(database, "Anna", "another password 1")


def test_a_token_is_printed_once_and_works_until_revoked(database: Database) -> None:
    add("Anna", "pathologist")
    made = run("token", "add", "Anna", "--label", "phone")
    token = made.stdout.strip()
    user = auth.user_for_token(database, token)
    assert user is not None and user.name == "Anna"
    listed = run("token", "list", "Anna").output
    assert "phone" in listed and token not in listed
    assert run("token", "revoke", "Anna", listed.split()[0]).exit_code == 0
    assert auth.user_for_token(database, token) is None


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        (("user", "add", "Eva", "--password-stdin"), "short\n", "password"),
        (("user", "add", "Eva"), "", "--password-stdin"),
        (("token", "add", "Nobody"), "", "Nobody"),
        (("token", "revoke", "Nobody", "1"), "", "Nobody"),
        (("user", "disable", "Anna"), "", "administrator"),
        (("user", "add", "anna", "--password-stdin"), f"{PASSWORD}\n", "anna"),
    ],
)
def test_failures_are_one_sentence_and_code_1(arguments: tuple[str, ...], stdin: str, sentence: str) -> None:
    add("Anna", "admin")
    done = run(*arguments, stdin=stdin)
    assert done.exit_code == 1
    assert sentence.lower() in done.stderr.lower()
    assert "Traceback" not in done.output
    assert done.stdout == ""
