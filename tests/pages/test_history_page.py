"""The history: search, open, own score, delete and undo."""

import pytest

from core import history
from core.db import Database, User


def shown(app) -> list[str]:
    """File names of the lines on the page."""
    return [each.label.removeprefix("Select ") for each in app.checkbox]


def test_an_empty_history_says_what_to_do(visit, pathologist: User):
    app = visit(pathologist, "history.py")

    assert any("No analyses yet" in each.value for each in app.markdown)


@pytest.mark.usefixtures("stored")
def test_lists_the_newest_first(visit, pathologist: User):
    app = visit(pathologist, "history.py")

    assert not app.exception
    assert shown(app) == ["slide 4.png", "core 18.png", "core 17.png"]


@pytest.mark.usefixtures("stored")
def test_finds_by_score_and_by_name(visit, pathologist: User):
    app = visit(pathologist, "history.py")
    app.selectbox(key="history_score").select("3+").run()
    assert shown(app) == ["core 18.png"]

    app.selectbox(key="history_score").select("any").run()
    app.text_input(key="history_text").set_value("slide").run()

    assert shown(app) == ["slide 4.png"]


@pytest.mark.usefixtures("stored")
def test_nothing_found_says_so(visit, pathologist: User):
    app = visit(pathologist, "history.py")
    app.text_input(key="history_text").set_value("no such name").run()

    assert shown(app) == []
    assert any("Nothing fits" in each.value for each in app.caption)


def test_shows_where_the_own_score_differs(visit, database: Database, pathologist: User, stored: list[str]):
    history.record_own_score(database, pathologist, stored[0], "1+", "weak only")
    app = visit(pathologist, "history.py")
    app.toggle(key="history_disagrees").set_value(True).run()

    assert shown(app) == ["core 17.png"]
    assert any("own score 1+, differs" in each.value for each in app.markdown)


def test_deletes_after_a_question_and_takes_it_back(visit, database: Database, pathologist: User, stored: list[str]):
    app = visit(pathologist, "history.py")
    app.checkbox(key=f"pick-{stored[0]}").check().run()
    app.button(key="delete").click().run()
    assert len(history.list_entries(database, pathologist)) == 3  # nothing before the answer

    app.button(key="confirm_delete").click().run()
    assert len(history.list_entries(database, pathologist)) == 2
    assert any("1 analysis deleted" in each.value for each in app.markdown)

    app.button(key="undo").click().run()
    assert len(history.list_entries(database, pathologist)) == 3


@pytest.mark.usefixtures("pathologist", "stored")
def test_one_user_does_not_see_anothers(visit, admin: User):
    app = visit(admin, "history.py")

    assert any("No analyses yet" in each.value for each in app.markdown)
