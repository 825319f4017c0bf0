"""What an administrator does."""

from pathlib import Path

import pytest

from core import auth
from core.db import Database, User
from core.db.settings import get_app_settings
from core.jobs.records import Wish
from core.jobs.submission import new_run
from core.labels import Role
from core.training.config import SimpleCnnConfig
from core.training.run_folder import State


def tab(app, name: str):
    """Open one of the admin page's tabs."""
    app.session_state["admin_tab"] = name
    return app.run()


def test_adds_a_user(visit, database: Database, admin: User):
    app = visit(admin, "admin.py")
    app.text_input(key="new_user_name").set_value("eve")
    app.text_input(key="new_user_password").set_value("one more long password")
    app.selectbox(key="new_user_role").select(Role.RESEARCHER)
    app.button(key="add_user_submit").click().run()

    assert not app.exception
    assert {each.name: each.role for each in auth.list_users(database, admin)}["eve"] is Role.RESEARCHER


@pytest.mark.usefixtures("pathologist")
def test_a_taken_name_gets_a_sentence(visit, admin: User):
    app = visit(admin, "admin.py")
    app.text_input(key="new_user_name").set_value("BOB")
    app.text_input(key="new_user_password").set_value("one more long password")
    app.button(key="add_user_submit").click().run()

    assert "already" in app.error[0].value


def test_disables_a_user(visit, database: Database, admin: User, pathologist: User):
    app = visit(admin, "admin.py")
    app.button(key=f"disable-{pathologist.id}").click().run()

    assert {each.name: each.disabled for each in auth.list_users(database, admin)} == {"ada": False, "bob": True}


def test_the_last_administrator_keeps_the_role(visit, database: Database, admin: User):
    app = visit(admin, "admin.py")
    app.selectbox(key=f"role-{admin.id}-admin").select(Role.PATHOLOGIST).run()

    assert app.error
    assert auth.list_users(database, admin)[0].role is Role.ADMIN


def test_saves_the_settings(visit, database: Database, admin: User):
    app = tab(visit(admin, "admin.py"), "Settings")
    app.toggle(key="guest_mode").set_value(True)
    app.number_input(key="upload_limit_mb").set_value(50)
    app.button(key="save_limits").click().run()

    settings = get_app_settings(database)
    assert (settings.guest_mode, settings.upload_limit_mb) == (True, 50)


def test_an_unreachable_workbench_gets_a_sentence(visit, admin: User):
    app = tab(visit(admin, "admin.py"), "Settings")
    app.text_input(key="remote_url").set_value("http://127.0.0.1:9")
    app.text_input(key="remote_token").set_value("x" * 40)
    app.button(key="check_remote").click().run()

    assert app.error and not app.exception


@pytest.mark.usefixtures("pathologist")
def test_lists_what_happened(visit, admin: User):
    app = tab(visit(admin, "admin.py"), "Audit log")

    table = app.dataframe[0].value
    assert "user added" in list(table["What"])


def test_weights_that_do_not_exist_are_refused(visit, database: Database, admin: User):
    app = tab(visit(admin, "admin.py"), "Weights")
    app.text_input(key="path-ihcnet").set_value("/no/such/file.safetensors").run()
    app.button(key="use_path-ihcnet").click().run()

    assert "no file" in app.error[0].value
    assert get_app_settings(database).weights == {}


@pytest.mark.usefixtures("pathologist", "stored")
def test_shows_storage_and_health(visit, admin: User):
    app = visit(admin, "admin.py")
    storage = {each.label: each.value for each in tab(app, "Storage").metric}
    health = {each.label: each.value for each in tab(app, "Health").metric}

    assert storage["Analyses"] == "3"
    assert health["Database"] == "works"


def test_stops_anybodys_training(visit, database: Database, admin: User, tmp_path: Path):
    rita = auth.add_user(database, admin, "rita", "a long enough password", Role.RESEARCHER)
    config = SimpleCnnConfig()
    folder = new_run(rita, name="night run", data=tmp_path, config=config, priority=0, wish=Wish.RUN)
    app = tab(visit(admin, "admin.py"), "Trainings")
    assert any("night run" in each.value and "rita" in each.value for each in app.markdown)

    app.button(key=f"stop_job-{folder.path.name}").click().run()
    assert not app.exception
    assert folder.status().state is State.STOPPED
    assert list(app.dataframe[0].value["Who"]) == ["rita"]
