"""The tab Collections: empty, opened, renamed, exported into Training, deleted."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import collections, jobs
from core.collections import KeptImage
from core.db import User
from pages.ui.background import all_background
from pages.ui.synthesis import places


@pytest.fixture
def kept(admin: User) -> str:
    """A collection of eight images."""
    rng = np.random.default_rng(0)
    made = collections.create(admin, "Favourites")
    items = [
        KeptImage(label, seed, 1.0, "medsyngan_g", "ab" * 32, {"confidence": 0.9})
        for seed in range(4)
        for label in ("PR+", "PR-")
    ]
    collections.add_images(admin, made.id, ((each, rng.integers(0, 256, (32, 32, 3), np.uint8)) for each in items))
    return made.id


def opened(visit, user: User, collection_id: str = "") -> AppTest:
    """The tab, with a collection opened where one is named."""
    app = visit(user)
    app.session_state[places.LAST] = app.session_state[places.TAB] = places.COLLECTIONS
    app.session_state["collection_open"] = collection_id
    app.switch_page("synthesis.py").run()
    assert not app.exception, app.exception
    return app


def test_an_empty_list_says_how_to_fill_it(visit, admin: User) -> None:
    app = opened(visit, admin)
    assert any("No collections yet" in each.value for each in app.markdown)
    assert app.button(key="collections_gallery").label == "Go to the gallery"


def test_the_list_names_images_and_classes_and_opens_one(visit, admin: User, kept: str) -> None:
    app = opened(visit, admin)
    assert any("8 images: 4 PR" in each.value.replace("\\", "") for each in app.caption)
    app.button(key=f"open_collection-{kept}").click().run()
    assert [each.value for each in app.subheader] == ["Favourites"]


def test_a_collection_gets_another_name(visit, admin: User, kept: str) -> None:
    app = opened(visit, admin, kept)
    next(each for each in app.text_input if each.label == "Name").set_value("Best of all")
    next(each for each in app.button if each.label == "Rename").click().run()
    assert collections.get(admin, kept).name == "Best of all"
    assert [each.value for each in app.subheader] == ["Best of all"]


def test_a_collection_becomes_a_data_set_that_training_offers(visit, admin: User, kept: str) -> None:
    app = opened(visit, admin, kept)
    app.button(key="copy_collection").click().run()
    assert all(task.done.wait(30) for task in all_background().of(f"user-{admin.id}"))
    app.run()
    assert any("Stored as the data set" in each.value for each in app.success)
    (stored,) = jobs.list_datasets(admin)
    assert (stored.name, stored.files) == ("Favourites (synthetic)", 8)
    app.switch_page("training.py").run()
    for piece in app.session_state["training_work"].values():  # the report about the images
        assert piece.done.wait(30)
    app.run()
    assert not app.exception, app.exception
    field = next(each for each in app.selectbox if each.label == "Synthetic images")
    assert any("Favourites (synthetic)" in option for option in field.options)


def test_deleting_asks_first(visit, admin: User, kept: str) -> None:
    app = opened(visit, admin)
    app.button(key=f"delete_collection-{kept}").click().run()
    assert len(collections.list_collections(admin)) == 1
    app.button(key="confirm_delete_collection").click().run()
    assert collections.list_collections(admin) == []
