"""The page Virtual staining: sample or upload, pairs, filter, data set; what is no H&E is refused in words."""

import io
import time
import zipfile

import pytest
from people_of_pages import PASSWORD
from streamlit.testing.v1 import AppTest

from core import auth, jobs
from core.db import Database, User
from core.labels import Role
from core.phantoms.samples import load_sample
from core.png_text import read_text
from pages.ui import background
from pages.ui.staining import results

WAIT_S = 120


@pytest.fixture
def researcher(database: Database, admin: User) -> User:
    """A researcher, named rita."""
    background.all_background.clear()
    return auth.add_user(database, admin, "rita", PASSWORD, Role.RESEARCHER)


def finished(app: AppTest, kind: str) -> AppTest:
    """Wait for background work and run the page again."""
    for task in background.all_background().of(app.session_state["workspace"].owner):
        if task.kind == kind:
            assert task.done.wait(WAIT_S)
            while task.ended is None:
                time.sleep(0.01)
    return app.run()


def texts(app: AppTest) -> str:
    """Everything that is written on the page."""
    parts = (app.markdown, app.caption, app.warning, app.info, app.error, app.success)
    return "\n".join(each.value for part in parts for each in part)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_a_pathologist_does_not_stain(visit, pathologist: User):
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        visit(pathologist, "virtual_staining.py")


def test_says_what_to_do_first(visit, researcher: User):
    app = visit(researcher, "virtual_staining.py")
    assert not app.exception
    assert "Nothing stained yet" in texts(app)
    assert app.button(key="stain_start").disabled


def test_the_sample_is_stained_filtered_and_becomes_a_data_set(visit, researcher: User):
    app = visit(researcher, "virtual_staining.py")
    app.button(key="stain_sample").click().run()
    app = finished(app, "stain")
    assert not app.exception
    assert "not real staining" in texts(app) and "single tile" in texts(app)
    (each,) = app.session_state[results.FOUND].stained
    assert each.file == "virtual_simulated-he.png"

    # It is still there after another page.
    app = app.switch_page("history.py").run().switch_page("virtual_staining.py").run()
    assert "single tile" in texts(app)

    app.selectbox(key="stain_label-1-her2").set_value("2+").run()
    app.number_input(key="stain-confidence").set_value(0.0)
    app.toggle(key="stain-same_class").set_value(False).run()
    app.button(key="stain_filter_start").click().run()
    app = finished(app, "stain-filter")
    assert "1 of 1 accepted" in texts(app)
    app.button(key="stain_save").click().run()
    app = finished(app, "stain-store")
    assert "Training lists it" in texts(app)
    (stored,) = jobs.list_datasets(researcher)
    (file,) = stored.folder.rglob("*.png")
    assert (file.parent.name, file.name) == ("2+", "virtual_simulated-he.png")
    assert "not real staining" in read_text(file.read_bytes())["Comment"]


def test_ihc_is_refused_and_stained_on_request(visit, researcher: User):
    app = visit(researcher, "virtual_staining.py")
    data, name = load_sample("her2-3")
    app.file_uploader(key="stain_uploads").set_value([(name, data, "image/png"), ("broken.png", b"text", "image/png")])
    app.run().button(key="stain_start").click().run()
    app = finished(app, "stain")
    assert "looks like IHC already" in texts(app) and "broken.png is not an image" in texts(app)
    assert "Filter this image" not in labels(app)
    app.button(key="stain_insist").click().run()
    app = finished(app, "stain")
    assert "stained on request" in texts(app) and "broken.png" in texts(app)
    assert "looks like IHC already" not in texts(app)


def test_the_trust_map_says_what_it_means(visit, researcher: User):
    app = visit(researcher, "virtual_staining.py")
    app.button(key="stain_sample").click().run()
    app = finished(app, "stain")
    app.button(key="stain_trust").click().run()
    app = finished(app, "stain-trust")
    assert "mean disagreement" in texts(app) and "does not prove the stain right" in texts(app)


def test_a_zip_without_images_gets_a_sentence(visit, researcher: User):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    app = visit(researcher, "virtual_staining.py")
    app.file_uploader(key="stain_uploads").set_value([("empty.zip", buffer.getvalue(), "application/zip")])
    app.run().button(key="stain_start").click().run()
    app = finished(app, "stain")
    assert not app.exception
    assert "holds no images" in texts(app)
