"""Other explanations of one tile on the start page: on request, with figures and remarks, refused politely."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import history
from core.analysis import analyze
from core.db import Database, User
from core.db.settings import get_app_settings, save_app_settings
from core.images import encode_png
from core.inference.engine import Engine
from core.labels import Marker, NucleiMethod, StainChoice
from core.types import Options, Result
from pages.ui import background, faithfulness

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120


def field() -> np.ndarray:
    """Two tiles of PR with round brown nuclei on pale tissue."""
    image = np.full((128, 256, 3), (226, 218, 220), np.uint8)
    rows, columns = np.mgrid[:128, :256]
    for x, y in ((30, 40), (80, 90), (100, 30), (180, 60)):
        image[(columns - x) ** 2 + (rows - y) ** 2 < 150] = (110, 70, 45)
    return image


@pytest.fixture(scope="module")
def scored() -> tuple[Result, bytes]:
    """A PR field as it was scored, and its upload."""
    data = encode_png(field())
    options = Options(Marker.PR, stain=StainChoice.IHC, nuclei=NucleiMethod.NONE, explain=False, target="PR+")
    return analyze(data, "field 3.png", options, engine=Engine(ROOT / "weights")), data


@pytest.fixture
def entry(database: Database, admin: User, pathologist: User, scored: tuple[Result, bytes]) -> str:
    """The same in the history, with its original."""
    save_app_settings(database, admin, replace(get_app_settings(database), keep_originals=True))
    saved = history.save(database, pathologist, *scored)
    assert saved is not None
    return saved.entry_id


def words(app) -> str:
    """Everything readable on the page."""
    return " ".join(each.value for each in [*app.markdown, *app.caption, *app.error, *app.warning, *app.info])


def opened(app):
    """The page with the panel open."""
    app.session_state["trust"] = True
    return app.run()


def work_of(app) -> background.Background | None:
    """The check that runs, or has run and was not shown yet."""
    return background.find(app.session_state["workspace"].owner, faithfulness.KIND)


def column(app, name: str) -> list[str]:
    """A column of one of the tables; empty where no table has it."""
    return next((list(each.value[name]) for each in app.table if name in each.value.columns), [])


def test_nothing_is_computed_before_it_is_asked_for(visit, pathologist: User, entry: str):
    app = visit(pathologist, entry=entry)

    assert not app.exception
    assert "LIME and occlusion cover" not in words(app)
    assert "LIME and occlusion cover" in words(opened(app))
    assert work_of(app) is None


def test_explains_a_tile_and_says_how_far_to_trust_it(visit, pathologist: User, entry: str):
    app = opened(visit(pathologist, entry=entry))
    next(each for each in app.selectbox if each.label == "LIME samples").select(100)
    app.button(key="check_tile").click().run()
    task = work_of(app)
    assert task is not None and task.done.wait(WAIT_S)
    app.run()

    assert not app.exception
    assert "what speaks for PR+" in words(app)
    assert len(column(app, "LIME")) == len(column(app, "GradCAM conv2")) == len(column(app, "Occlusion")) == 4
    assert len(column(app, "Rank correlation")) == 3
    assert work_of(app) is None  # taken over: another click computes nothing again
    assert "what speaks for PR+" in words(app.run())


def test_can_be_cancelled(visit, pathologist: User, entry: str):
    app = opened(visit(pathologist, entry=entry))
    app.button(key="check_tile").click()
    app.run()
    task = work_of(app)
    assert task is not None
    task.stop.set()
    assert task.done.wait(WAIT_S)

    assert "Cancelled." in words(app.run())
    assert not column(app, "LIME")


def test_without_a_method_there_is_nothing_to_start(visit, pathologist: User, entry: str):
    app = opened(visit(pathologist, entry=entry))
    next(each for each in app.button_group if each.label == "Explain with").set_value([]).run()

    assert app.button(key="check_tile").disabled


def test_says_that_the_original_is_missing(visit, pathologist: User, stored: list[str]):
    app = opened(visit(pathologist, entry=stored[0]))

    assert "needs the original image, which is not kept in the history" in words(app)


def test_says_that_another_workbench_computes(visit, database: Database, admin: User, pathologist: User, entry: str):
    save_app_settings(database, admin, replace(get_app_settings(database), remote_url="https://other.example"))
    app = opened(visit(pathologist, entry=entry))

    assert "Not available while another workbench computes" in words(app)
    assert not app.exception
