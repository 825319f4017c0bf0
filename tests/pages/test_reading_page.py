"""Reader tests: made on Synthesis, read by those they are offered to, resumed where they were left."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import collections, jobs
from core.collections import KeptImage
from core.db import Database, User, reading
from core.inference.engine import get_engine
from core.reading import taking
from core.reading.making import Plan, make_origin_test
from core.reading.round import Answer, Question
from core.reading.sources import FromCollection, StoredSet
from core.types import RGBImage
from pages.ui.synthesis import places


def noise(seed: int) -> RGBImage:
    """Bright noise."""
    return np.random.default_rng(seed).integers(90, 240, (128, 128, 3), np.uint8)


@pytest.fixture
def test_id(database: Database, admin: User) -> str:
    """A test of two real and two synthetic tiles, offered to everybody."""
    real = jobs.add_images(admin, "Real", [("PR+", f"{n}.png", noise(n)) for n in range(2)]).id
    made = collections.create(admin, "Kept")
    items = ((KeptImage("PR+", n, 1.0, "medsyngan_g", "ab" * 32), noise(100 + n)) for n in range(2))
    collections.add_images(admin, made.id, items)
    return make_origin_test(
        database,
        admin,
        Plan("Tiles", offered=True),
        real=StoredSet(real),
        synthetic=FromCollection(made.id),
        generator="medsyngan_g",
        counts=(2, 2),
        engine=get_engine(),
    ).id


def read(visit, user: User, test_id: str) -> AppTest:
    """The page with a test opened, as after a reload of its address."""
    app = visit(user)
    app.query_params["test"] = test_id
    app.switch_page("reading.py").run()
    assert not app.exception, app.exception
    return app


def test_a_pathologist_finds_the_offered_test_and_no_way_to_make_one(visit, pathologist: User, test_id: str) -> None:
    app = visit(pathologist, "reading.py")
    assert app.button(key=f"read-{test_id}").label == "Read"
    assert any("4 images" in each.value and "by ada" in each.value for each in app.caption)


def test_nothing_offered_is_said(visit, pathologist: User) -> None:
    app = visit(pathologist, "reading.py")
    assert any("No reader test is offered" in each.value for each in app.markdown)


def test_answers_are_stored_at_once_and_the_test_is_resumed(
    visit, database: Database, pathologist: User, test_id: str
) -> None:
    app = read(visit, pathologist, test_id)
    app.button(key=f"reading-{test_id}-synthetic").click().run()
    (first,) = reading.list_answers(database, test_id)
    assert (first.answer, first.user_id) == ("synthetic", pathologist.id)
    again = read(visit, pathologist, test_id)
    assert [each.proto.text for each in again.get("progress")] == ["Image 2 of 4"]
    again.button(key=f"reading-{test_id}-back").click().run()
    assert reading.list_answers(database, test_id) == []


def test_the_result_comes_after_the_last_answer(visit, database: Database, pathologist: User, test_id: str) -> None:
    for item in taking.own_round(database, pathologist, test_id).items[:3]:
        taking.record(database, pathologist, test_id, Answer(item.id, "real"))
    app = read(visit, pathologist, test_id)
    assert len(app.metric) == 0
    app.button(key=f"reading-{test_id}-real").click().run()
    assert not app.exception, app.exception
    assert [(each.label, each.value) for each in app.metric][:3] == [
        ("Accuracy", "50 %"),
        ("Synthetic found", "0 %"),
        ("Real recognised", "100 %"),
    ]


def test_the_owner_sees_all_readers_below_the_test(
    visit, database: Database, admin: User, pathologist: User, test_id: str
) -> None:
    for item in taking.own_round(database, pathologist, test_id).items:
        taking.record(database, pathologist, test_id, Answer(item.id, "synthetic"))
    app = visit(admin)
    app.session_state[places.LAST] = app.session_state[places.TAB] = places.READER_TEST
    app.session_state[f"results-{test_id}"] = True
    app.switch_page("synthesis.py").run()
    assert not app.exception, app.exception
    assert any("You have not read every image yourself" in each.value for each in app.caption)
    assert [(each.label, each.value) for each in app.metric][:2] == [("Accuracy", "50 %"), ("Synthetic found", "100 %")]
    assert list(app.dataframe[0].value["Reader"]) == ["bob"]


def test_a_test_that_is_not_offered_any_more_says_so(
    visit, database: Database, admin: User, pathologist: User, test_id: str
) -> None:
    taking.offer(database, admin, test_id, False)
    app = read(visit, pathologist, test_id)
    assert ["not offered to you any more" in each.value for each in app.error] == [True]


def test_a_test_can_be_made_once_there_are_images(visit, admin: User) -> None:
    app = visit(admin)
    app.session_state[places.LAST] = app.session_state[places.TAB] = places.READER_TEST
    app.switch_page("synthesis.py").run()
    assert any("No reader tests yet" in each.value for each in app.markdown)
    app.segmented_control(key="reader_question").set_value(Question.HER2).run()
    assert not app.exception, app.exception
    assert app.button(key="make_test").disabled
    jobs.add_images(admin, "Real", [("3+", "1.png", noise(1))])
    assert not app.run().button(key="make_test").disabled
