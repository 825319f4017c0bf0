"""The start page: empty, with a stored result, with good and bad files."""

import pytest

from core import history
from core.db import Database, User
from core.phantoms.samples import load_sample


def words(app) -> str:
    """Everything readable on the page."""
    parts = [*app.markdown, *app.caption, *app.error, *app.warning, *app.info]
    return " ".join(each.value for each in parts)


def test_opens_with_nothing(visit, pathologist: User):
    app = visit(pathologist)

    assert not app.exception
    assert "Drop an image above, or try a sample" in words(app)


def test_opens_a_stored_result(visit, pathologist: User, stored: list[str]):
    app = visit(pathologist, entry=stored[1])

    assert not app.exception
    assert [(each.label, each.value) for each in app.metric] == [("HER2 score", "3+")]
    assert "Blurred: sharpness 38" in words(app)


def test_nobody_opens_anothers_result(visit, admin: User, stored: list[str]):
    app = visit(admin, entry=stored[0])

    assert not app.metric
    assert app.error and not app.exception


def test_keeps_the_own_score(visit, database: Database, pathologist: User, stored: list[str]):
    app = visit(pathologist, entry=stored[0])
    app.selectbox(key=f"own_score-{stored[0]}").select("1+")
    app.text_input(key=f"own_comment-{stored[0]}").set_value("weak only")
    app.button(key="save_own").click().run()

    row = history.get_row(database, pathologist, stored[0])
    assert (row.own_score, row.own_comment, row.disagrees) == ("1+", "weak only", True)
    assert "Your score differs from the model (2+)" in words(app)


@pytest.mark.parametrize("data", [b"", b"this is text", b"\x89PNG\r\n\x1a\n truncated"])
def test_a_bad_file_gets_a_sentence(visit, database: Database, pathologist: User, data: bytes):
    app = visit(pathologist)
    app.file_uploader(key="uploads").upload("scan.png", data)
    app.run()

    assert not app.exception
    assert len(app.error) == 1 and "scan.png" in app.error[0].value
    assert history.list_entries(database, pathologist) == []


@pytest.mark.slow
def test_scores_an_upload_and_keeps_it(visit, database: Database, pathologist: User):
    data, _ = load_sample("her2-3")
    app = visit(pathologist)
    app.file_uploader(key="uploads").upload("core.png", data)
    app.run(timeout=120)

    assert not app.exception
    assert [each.label for each in app.metric] == ["HER2 score"]
    [row] = history.list_entries(database, pathologist)
    assert row.id in app.query_params["entry"]


@pytest.mark.usefixtures("database")
@pytest.mark.slow
def test_another_click_runs_no_network_again(visit, pathologist: User):
    data, _ = load_sample("her2-3")
    app = visit(pathologist)
    app.file_uploader(key="uploads").upload("core.png", data)
    app.run(timeout=120)
    opened = app.session_state["workspace"].opened

    app.selectbox(key=f"own_score-{opened.entry_id}").select("3+")
    app.button(key="save_own").click().run()

    assert app.session_state["workspace"].opened.result is opened.result
