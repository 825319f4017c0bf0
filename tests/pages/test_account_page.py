"""The own account: password and tokens."""

from people_of_pages import PASSWORD

from core import auth
from core.db import Database, User


def test_changes_the_password(visit, database: Database, pathologist: User):
    app = visit(pathologist, "account.py")
    app.text_input(key="old_password").set_value(PASSWORD)
    app.text_input(key="new_password").set_value("another long password")
    app.text_input(key="again").set_value("another long password")
    app.button(key="change_password").click().run()

    assert "changed" in app.success[0].value
    assert auth.sign_in(database, "bob", "another long password")


def test_a_wrong_old_password_changes_nothing(visit, database: Database, pathologist: User):
    app = visit(pathologist, "account.py")
    app.text_input(key="old_password").set_value("wrong")
    app.text_input(key="new_password").set_value("another long password")
    app.text_input(key="again").set_value("another long password")
    app.button(key="change_password").click().run()

    assert app.error[0].value == "The old password is wrong."
    assert auth.sign_in(database, "bob", PASSWORD)


def test_shows_a_new_token_once(visit, database: Database, pathologist: User):
    app = visit(pathologist, "account.py")
    app.text_input(key="token_label").set_value("phone")
    app.button(key="make_token").click().run()
    token = app.code[0].value
    user = auth.user_for_token(database, token)

    app.button(key="token_done").click().run()

    assert user is not None and user.name == "bob"
    assert not app.code
    assert [each.label for each in auth.list_tokens(database, pathologist)] == ["phone"]


def test_revokes_a_token(visit, database: Database, pathologist: User):
    auth.create_token(database, pathologist, "old phone")
    app = visit(pathologist, "account.py")
    number = auth.list_tokens(database, pathologist)[0].id
    app.button(key=f"revoke-{number}").click().run()

    assert auth.list_tokens(database, pathologist) == []
