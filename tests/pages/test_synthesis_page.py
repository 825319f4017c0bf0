"""The page Synthesis: sampling, favourites, thousands in the background, the way between two images."""

import io
import json
import time
import zipfile

import pytest
from people_of_pages import PASSWORD
from streamlit.testing.v1 import AppTest

from core import auth, collections
from core.db import Database, User
from core.labels import Role
from pages.ui import background
from pages.ui.synthesis import interpolate, keeping, many, places, sampled, wish

PAGE = "synthesis.py"


@pytest.fixture
def researcher(database: Database, admin: User) -> User:
    """A researcher, named rita."""
    return auth.add_user(database, admin, "rita", PASSWORD, Role.RESEARCHER)


def generated(app: AppTest, *, count: int = 12, seed: str = "1") -> AppTest:
    """Fill in the form and press Generate."""
    app.number_input(key=wish.COUNT).set_value(count)
    app.text_input(key=f"{wish.SEED}-0").set_value(seed)
    return app.button(key="generate").click().run()


def star(app: AppTest, *places_: int) -> list[sampled.Chosen]:
    """What the browser says when stars are clicked."""
    gallery: sampled.Gallery = app.session_state[sampled.STATE]
    chosen = [sampled.on_page(gallery.wish, 0)[place] for place in places_]
    app.session_state[f"{sampled.GRID}-stars"] = {each.id: True for each in chosen}
    return chosen


def texts(app: AppTest) -> str:
    """All that is said on the page."""
    parts = (app.markdown, app.caption, app.error, app.info, app.success, app.warning)
    return " ".join(str(each.value) for part in parts for each in part)


def test_says_what_to_do_first(visit, researcher: User) -> None:
    app = visit(researcher, PAGE)

    assert not app.exception
    assert "press Generate" in texts(app)


@pytest.mark.parametrize(
    ("count", "seed", "words"),
    [(0, "1", "count is 0"), (-2, "1", "count is -2"), (1_000_000, "1", "10,000"), (4, "seven", "seed is 'seven'")],
)
def test_refuses_in_words(visit, researcher: User, count: int, seed: str, words: str) -> None:
    app = generated(visit(researcher, PAGE), count=count, seed=seed)

    assert not app.exception
    assert words in app.error[0].value
    assert app.session_state[sampled.STATE].wish is None


def test_says_what_to_do_without_weights(visit, researcher: User) -> None:
    app = visit(researcher, PAGE)
    her2 = next(each for each in app.selectbox(key=wish.MODEL).options if "HER2" in each)
    app.selectbox(key=wish.MODEL).select(her2).run()

    if app.info and "HER2" in app.info[0].value:
        assert "Train the recipe MedSynGAN" in app.info[0].value
    else:  # weights came with the workbench
        assert [each for each in app.button if each.key == "generate"]
    assert not app.exception


def test_samples_looks_closely_and_keeps_favourites(visit, researcher: User, database: Database) -> None:
    app = generated(visit(researcher, PAGE), count=70)
    gallery: sampled.Gallery = app.session_state[sampled.STATE]
    assert not app.exception
    assert "1 to 64 of 70" in texts(app)
    assert len(gallery.pictures) == 64

    chosen = star(app, 0, 5)
    app.session_state[f"{sampled.GRID}-opened"] = chosen[1].id
    app.run()
    assert not app.exception
    assert "seed 6" in texts(app) and "Classifier: " in texts(app) and "Sharpness" in texts(app)
    assert "2 favourites" in texts(app)

    app.number_input(key=sampled.PAGE_NUMBER).set_value(2).run()
    assert "65 to 70 of 70" in texts(app)
    assert len(gallery.pictures) == 6
    assert "2 favourites" in texts(app)

    packed = keeping._zip(database, chosen)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert "images/synthetic_PR+_1.png" in archive.namelist()
    assert [each["seed"] for each in manifest["images"]] == [1, 6]
    assert manifest["images"][0]["weights_sha256"] == chosen[0].weights.sha256

    app.button(key="keep_favourites").click().run()
    assert not app.exception
    kept = collections.list_collections(researcher)
    assert [(each.name, each.counts) for each in kept] == [("Favourites", {"PR+": 2})]
    assert "2 images are kept" in texts(app)
    assert gallery.favourites == {}
    app.button(key="open_kept").click().run()
    assert not app.exception
    assert app.session_state[places.TAB] == places.COLLECTIONS
    assert "2 images: 2 PR+" in texts(app).replace("\\", "")


def test_the_dice_give_another_seed_and_choices_stay(visit, researcher: User) -> None:
    app = generated(visit(researcher, PAGE), count=3, seed="77")
    app.session_state[places.NEXT] = places.INTERPOLATE
    app.run()
    app.session_state[places.NEXT] = places.GALLERY
    app.run()
    assert (app.number_input(key=wish.COUNT).value, app.text_input(key=f"{wish.SEED}-0").value) == (3, "77")

    app.button(key=f"{wish.SEED}_dice").click().run()
    rolled = app.text_input(key=f"{wish.SEED}-1").value
    assert rolled.isdecimal() and rolled != "77"
    assert not app.exception


def test_makes_many_in_the_background(visit, researcher: User) -> None:
    app = generated(visit(researcher, PAGE), count=80)
    app.text_input(key=f"{many.NAME}-PR+ from seed 1").set_value("eighty").run()
    app.checkbox(key=many.MEASURE).uncheck().run()
    app.button(key="many_start").click().run()
    task = background.find(f"user-{researcher.id}", many.KIND)
    assert task is not None and task.done.wait(60)

    app.run()
    assert not app.exception
    assert '80 images are kept in "eighty"' in texts(app)
    assert [len(each.images) for each in collections.list_collections(researcher)] == [80]
    background.discard(f"user-{researcher.id}", many.KIND)


def test_says_what_is_kept_when_many_are_cancelled(visit, researcher: User) -> None:
    app = generated(visit(researcher, PAGE), count=10_000)
    app.checkbox(key=many.MEASURE).uncheck().run()
    app.button(key="many_start").click().run()
    task = background.find(f"user-{researcher.id}", many.KIND)
    assert task is not None
    deadline = time.monotonic() + 60
    while not task.share and time.monotonic() < deadline:
        time.sleep(0.02)
    app.button(key=f"cancel-{many.KIND}").click().run()
    assert task.done.wait(60)

    app.run()
    kept = len(collections.list_collections(researcher)[0].images)
    assert 0 < kept < 10_000
    assert f"{kept:,} images that were whole are kept" in texts(app)
    app.button(key="many_close").click().run()
    assert background.find(f"user-{researcher.id}", many.KIND) is None


def test_goes_from_one_image_to_another(visit, researcher: User) -> None:
    app = visit(researcher, PAGE)
    app.session_state[places.NEXT] = places.INTERPOLATE
    app.run()
    assert "Show the way" in texts(app)
    app.button(key="between_go").click().run()
    assert not app.exception
    assert "PR-, seed 1 to 2" in texts(app) or "PR+, seed 1 to 2" in texts(app)
    shown = app.session_state[interpolate.STATE]
    assert [cell.caption for cell in shown.cells][::8] == ["seed 1", "seed 2"]
    assert shown.animation[:4] == b"RIFF" and b"Synthetic images" in shown.animation

    app.radio(key=interpolate.MODE).set_value("Two classes").run()
    app.segmented_control(key=interpolate.LABEL).set_value("PR+").run()
    app.segmented_control(key=interpolate.OTHER_LABEL).set_value("PR+").run()
    app.button(key="between_go").click().run()
    assert "Both classes are PR+" in app.error[0].value
