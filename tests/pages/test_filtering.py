"""The filter's panel: a moved threshold judges anew, and the files hold what the panel shows."""

import csv
import io
import zipfile

import numpy as np
from streamlit.testing.v1 import AppTest

from pages.ui.filtering import JudgedImage


def filtered() -> list[JudgedImage]:
    """Four synthetic PR tiles: one fine, one blurred, one unsure, one of the other class."""
    from functools import partial

    from core.images import encode_png
    from core.quality.filter import judge_images
    from pages.ui.filtering import JudgedImage

    images = np.random.default_rng(3).integers(90, 250, (4, 64, 64, 3), dtype=np.uint8)
    images[1] = np.linspace(100, 220, 64, dtype=np.uint8)[:, None, None]
    probs = np.array([[0.1, 0.9], [0.1, 0.9], [0.48, 0.52], [0.8, 0.2]])
    verdicts = judge_images(images, labels=["PR+"] * 4, probs=probs, classes=("PR-", "PR+"))
    return [
        JudgedImage(f"synthetic-{index}.png", encode_png(image), partial(encode_png, image), verdict)
        for index, (image, verdict) in enumerate(zip(images, verdicts, strict=True))
    ]


def panel() -> None:
    """The panel over those four."""
    from test_filtering import filtered

    from pages.ui import filtering

    settings = filtering.settings_panel("some")
    filtering.results_panel(filtering.judged_anew(filtered(), settings), "some", settings)


def shown(app: AppTest) -> str:
    """All text of the panel."""
    return "\n".join(each.value for each in (*app.markdown, *app.caption))


def test_a_moved_threshold_judges_anew():
    app = AppTest.from_function(panel, default_timeout=30).run()
    assert not app.exception and "**1 of 4 accepted** (25.0%" in shown(app) and "14.6%" in shown(app)
    assert app.dataframe[0].value["Reason"].tolist() == ["blurred", "classifier unsure", "other class"]
    app.number_input(key="some-confidence").set_value(0.5).run()
    assert "**2 of 4 accepted**" in shown(app)
    app.number_input(key="some-sharpness").set_value(0.0).run()
    app.toggle(key="some-same_class").set_value(False).run()
    assert not app.exception and "**4 of 4 accepted**" in shown(app) and not app.dataframe


def test_both_galleries_can_be_looked_at():
    app = AppTest.from_function(panel, default_timeout=30).run()
    app.segmented_control(key="some-side").set_value("Rejected").run()
    app.selectbox(key="some-reason").select("other class").run()
    assert not app.exception and app.selectbox(key="some-reason").options == [
        "any reason",
        "blurred",
        "classifier unsure",
        "other class",
    ]


def test_the_files_keep_accepted_and_rejected_apart():
    from core.quality.filter import FilterSettings
    from pages.ui import filtering_files

    packed = zipfile.ZipFile(io.BytesIO(filtering_files._zip(filtered(), FilterSettings())))
    assert packed.namelist() == [
        "accepted/PR+/synthetic-0.png",
        *(f"rejected/PR+/synthetic-{index}.png" for index in (1, 2, 3)),
        "filter.csv",
        "settings.json",
    ]
    rows = list(csv.DictReader(io.StringIO(packed.read("filter.csv").decode("utf-8-sig"))))
    assert [row["reason"] for row in rows] == ["", "blurred", "classifier unsure", "other class"]
    assert rows[3]["reasons"] == "Other class: made as PR+, read as PR- (0.80)."
