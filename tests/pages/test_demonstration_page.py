"""The guided tour: five steps for guests and members, and nothing of it is stored."""

import sqlite3
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import auth
from core.config import get_settings
from core.db import Database, User
from core.db.settings import AppSettings, save_app_settings
from core.errors import CancelledError
from core.jobs import lesson
from pages.ui import background
from pages.ui.demonstration import tour

WAIT_S = 200


@pytest.fixture
def guest(visit, database: Database, admin: User, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The tour as a guest has it before the eyes, at its third step: it needs the networks, and is quick."""
    save_app_settings(database, admin, AppSettings(guest_mode=True))
    monkeypatch.setattr("core.auth.sign_in", lambda db, *_: auth.start_guest(db))
    return visit(admin)


def at_step(app: AppTest, place: int) -> AppTest:
    """Open the tour at a step."""
    app.session_state[tour.STEP] = place
    return app.switch_page("demonstration.py").run()


def finish(app: AppTest) -> AppTest:
    """Wait for the work of a step, then look again."""
    for task in background.all_background().of(app.session_state["workspace"].owner):
        assert task.done.wait(WAIT_S)
    return app.run()


def stored() -> dict[str, object]:
    """Every file of the data folder but converted networks, and the number of rows of every table but sessions."""
    folder = get_settings().data_dir
    files = {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and "cache" not in path.parts
    }
    with sqlite3.connect(folder / "workbench.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
    return {"files": files} | rows


def test_the_tour_is_what_a_guest_is_offered_first(guest: AppTest):
    assert guest.button(key="take_tour").label == "Take the tour"
    assert any("nothing is stored" in each.value for each in guest.caption)


def test_every_step_has_a_short_caption_and_a_way_on(guest: AppTest):
    for step in tour.STEPS:
        sentences = [part for part in step.caption.replace("?", ".").split(". ") if part]
        assert len(sentences) <= 2, step.caption
    app = at_step(guest, len(tour.STEPS) - 1)
    assert not app.exception and app.button(key="tour-next").label == "Start over"
    assert app.button(key="tour-train").label == "Start the training"
    app.button(key="tour-back").click().run()
    assert app.session_state[tour.STEP] == len(tour.STEPS) - 2


def test_images_are_painted_and_the_nearest_real_one_is_told_without_storing_anything(guest: AppTest):
    before = stored()
    app = finish(at_step(guest, 2))
    assert not app.exception and not app.error
    assert any("Nearest training image" in each.value for each in app.markdown)
    first = [each.value for each in app.markdown if each.value.startswith("**Synthetic")]
    app.button(key="tour-others").click().run()
    app = finish(app)
    assert not app.exception and [e.value for e in app.markdown if e.value.startswith("**Synthetic")] != first
    assert stored() == before


def test_a_blind_round_is_read_to_its_end_without_storing_anything(guest: AppTest):
    before = stored()
    app = finish(at_step(guest, 3))
    for number in range(8):
        assert not app.exception and not app.metric
        app.button(key="tour-blind-real" if number % 2 else "tour-blind-synthetic").click().run()
    assert not app.exception and app.metric[0].label == "Accuracy"
    assert any("another tissue" in each.value for each in app.caption)
    app.button(key="tour-another").click().run()
    assert not finish(app).metric
    assert stored() == before


@pytest.mark.usefixtures("settings")
def test_a_cancelled_training_leaves_no_process_and_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lesson.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("core.training.data.demonstration.LESSON_CASES", 8)
    started = []
    start = lesson.processes.start
    monkeypatch.setattr(
        lesson.processes, "start", lambda *some, **more: started.append(start(*some, **more)) or started[0]
    )

    def cancel(_step: str, _done: int, _total: int) -> None:
        if started:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        lesson.teach(lesson.Lesson(), cancel)
    assert lesson.processes._process(started[0]) is None
    assert not list(tmp_path.glob("workbench-lesson-*")) and not (get_settings().data_dir / "runs").exists()
