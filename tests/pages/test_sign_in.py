"""The first start, signing in, and what goes wrong there."""

import json

import pytest
from people_of_pages import PASSWORD
from streamlit.testing.v1 import AppTest

from core.auth import setup_code, users_exist
from core.db import Database


def sent_to(app: AppTest) -> str:
    """Where the page sends the browser; empty if it stays."""
    found = [json.loads(each.proto.json)["url"] for each in app.get("bidi_component")]
    return found[0] if found else ""


def test_the_first_start_creates_the_administrator(visit, database: Database):
    app = visit(None)
    assert [each.value for each in app.subheader] == ["Create the administrator"]

    app.text_input(key="name").set_value("ada")
    app.text_input(key="password").set_value(PASSWORD)
    app.text_input(key="password_again").set_value(PASSWORD)
    app.button(key="submit").click().run()

    assert users_exist(database)
    assert sent_to(app).startswith("/auth/accept?ticket=")


def test_another_machine_needs_the_code(visit, database: Database):
    app = visit(None, address="203.0.113.7")
    app.text_input(key="name").set_value("ada")
    app.text_input(key="password").set_value(PASSWORD)
    app.text_input(key="password_again").set_value(PASSWORD)
    app.button(key="submit").click().run()
    assert "setup code" in app.error[0].value
    assert not users_exist(database)

    app.text_input(key="code").set_value(setup_code())
    app.button(key="submit").click().run()

    assert users_exist(database)


def test_two_different_passwords_are_refused(visit, database: Database):
    app = visit(None)
    app.text_input(key="name").set_value("ada")
    app.text_input(key="password").set_value(PASSWORD)
    app.text_input(key="password_again").set_value(PASSWORD + "!")
    app.button(key="submit").click().run()

    assert "differ" in app.error[0].value
    assert not users_exist(database)


@pytest.mark.usefixtures("pathologist")
def test_the_right_password_signs_in(visit):
    app = visit(None)
    app.text_input(key="name").set_value("bob")
    app.text_input(key="password").set_value(PASSWORD)
    app.button(key="submit").click().run()

    assert sent_to(app).startswith("/auth/accept?ticket=")


@pytest.mark.usefixtures("pathologist")
def test_a_wrong_password_and_an_unknown_name_sound_alike(visit):
    sentences = set()
    for name in ("bob", "nobody"):
        app = visit(None)
        app.text_input(key="name").set_value(name)
        app.text_input(key="password").set_value("not the password")
        app.button(key="submit").click().run()
        sentences.add(app.error[0].value)
        assert sent_to(app) == ""

    assert sentences == {"The name or the password is wrong."}


@pytest.mark.usefixtures("admin")
def test_a_refused_route_is_explained(visit):
    app = visit(None, error="ticket")

    assert "sign in again" in app.error[0].value


@pytest.mark.usefixtures("admin")
def test_guests_are_offered_only_where_allowed(visit):
    app = visit(None)

    assert "guest" not in [each.key for each in app.button]
