"""Who is offered which screens."""

import pytest

from core import auth
from core.db import Database, User
from core.db.settings import AppSettings, save_app_settings


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("page", ["analyze.py", "history.py", "training.py", "account.py", "admin.py", "models.py"])
def test_signed_out_no_page_can_be_opened(visit, page: str):
    app = visit(None)

    with pytest.raises(ValueError):
        app.switch_page(page)


def test_a_pathologist_cannot_open_the_admin_page(visit, pathologist: User):
    app = visit(pathologist)

    with pytest.raises(ValueError):
        app.switch_page("admin.py")


def test_a_session_that_was_ended_leads_to_the_sign_in(visit, database: Database, pathologist: User):
    app = visit(pathologist)
    auth.sign_out_everywhere(database, pathologist)

    app.run()

    assert [each.value for each in app.subheader] == ["Sign in"]


def test_every_screen_says_research_use_only(visit, pathologist: User):
    for app in (visit(None), visit(pathologist), visit(pathologist, "history.py")):
        assert any("Research use only. Not for diagnosis." in each.value for each in app.caption)


def test_a_guest_sees_samples_and_no_history(visit, database: Database, admin: User, monkeypatch):
    save_app_settings(database, admin, AppSettings(guest_mode=True))
    monkeypatch.setattr("core.auth.sign_in", lambda db, *_: auth.start_guest(db))
    app = visit(admin)

    assert not app.file_uploader
    assert len(app.get("pills")) == 1
    with pytest.raises(ValueError):
        app.switch_page("history.py")
