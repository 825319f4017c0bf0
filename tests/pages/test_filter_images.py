"""Synthetic images filtered on a page: measured in the background, judged anew without the network."""

import pytest
from streamlit.testing.v1 import AppTest

from core.db import User
from pages.ui import background

WAIT_S = 120


def tab(user_id: int) -> None:
    """Eight samples of each PR class, filtered; their accepted places are said."""
    from functools import partial

    import streamlit as st

    from core.db import get_database
    from core.db.users import get_user
    from core.images import encode_png
    from core.inference.engine import get_engine
    from core.inference.synthesis import sample_images, specs_of
    from core.labels import Marker
    from pages.ui.synthesis import filter_images

    specs = (*specs_of("PR-", 8, 0), *specs_of("PR+", 8, 0))
    images = sample_images(get_engine(), "medsyngan_g", specs)
    candidates = [
        filter_images.Candidate(f"synthetic-{spec.label}-{spec.seed}.png", spec.label, partial(encode_png, image))
        for spec, image in zip(specs, images, strict=True)
    ]
    db = get_database()
    kept = filter_images.show(db, get_user(db, user_id), candidates, key="some", marker=Marker.PR)
    st.text(f"kept {kept}")


def test_thresholds_judge_anew_what_was_measured_once(admin: User, monkeypatch: pytest.MonkeyPatch):
    app = AppTest.from_function(tab, args=(admin.id,), default_timeout=60).run()
    assert not app.exception and app.text[0].value == "kept None"
    app.button(key="some-start").click().run()
    for task in background.all_background().of(app.session_state["workspace"].owner):
        assert task.done.wait(WAIT_S)
    app.run()
    assert not app.exception and not app.error
    assert any("of 16 accepted" in each.value for each in app.markdown)
    monkeypatch.setattr("core.inference.filtering.measure_synthetic", None)  # the network must not be asked again
    app.number_input(key="some-sharpness").set_value(100000.0).run()
    assert app.text[0].value == "kept ()"
    for key in ("some-sharpness", "some-contrast", "some-confidence"):
        app.number_input(key=key).set_value(0.0).run()
    app.toggle(key="some-same_class").set_value(False).run()
    assert app.text[0].value == f"kept {tuple(range(16))}"
