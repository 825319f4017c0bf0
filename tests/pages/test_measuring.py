"""Measured figures on the start page: as measured, with changes beside them, kept and taken along."""

import base64
import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from nuclei_by_hand import SIZE, hand_made_nuclei
from results_by_hand import hand_made_result

from core import history
from core.db import Database, User
from core.labels import Marker
from core.quantify.adjusted import adjusted_scores
from core.types import Adjustments, Result
from pages.ui import measuring_exports
from pages.ui.layers import pack
from pages.ui.outlines import HIGHEST, Live
from pages.ui.workspace import Opened


@pytest.fixture
def measured() -> Result:
    """A PR result over a small image, with a hundred nuclei."""
    image = np.random.default_rng(0).integers(120, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    result = hand_made_result(image, marker=Marker.PR, outcome="PR+", name="field 3.png")
    return replace(result, nuclei=hand_made_nuclei())


@pytest.fixture
def entry(database: Database, pathologist: User, measured: Result) -> str:
    """The same, stored."""
    saved = history.save(database, pathologist, measured, b"image bytes")
    assert saved is not None
    return saved.entry_id


def words(app) -> str:
    """Everything readable on the page."""
    return " ".join(each.value for each in [*app.markdown, *app.caption, *app.error, *app.warning, *app.info])


def figures(app) -> dict[str, list[str]]:
    """The table of figures by the word in front."""
    [table] = [each.value for each in app.table if "Measured" in each.value.columns]
    return {row[0]: list(row[1:]) for row in table.itertuples(index=False)}


def unpack(packet: bytes) -> tuple[dict, bytes]:
    """Header and blobs of a packet."""
    length = int.from_bytes(packet[:4], "little")
    return json.loads(packet[4 : 4 + length]), packet[4 + length :]


def numbers(at: list[int], blobs: bytes) -> np.ndarray:
    """One blob of two-byte numbers."""
    return np.frombuffer(blobs[at[0] : at[0] + at[1]], "<u2").astype(float)


def test_shows_the_figures_as_measured(visit, pathologist: User, entry: str):
    app = visit(pathologist, entry=entry)

    assert not app.exception
    assert "Measured **40 %" in words(app)
    assert figures(app)["Nuclei counted"] == ["100"]
    assert figures(app)["Weak · moderate · strong"] == ["20 % · 10 % · 10 %"]


def test_a_threshold_changes_the_figures_beside_the_measured_ones(visit, pathologist: User, entry: str):
    app = visit(pathologist, entry=entry)
    app.slider(key=f"moderate-{entry}").set_value(0.25).run()

    assert not app.exception
    assert "; with your changes **40 %" in words(app) and "moderate from 0.25 OD" in words(app)
    assert figures(app)["Weak · moderate · strong"] == ["20 % · 10 % · 10 %", "0 % · 30 % · 10 %"]


def test_weak_can_be_set_by_density(visit, pathologist: User, entry: str):
    app = visit(pathologist, entry=entry)
    app.toggle(key=f"own_thresholds-{entry}").set_value(True).run()
    app.slider(key=f"weak-{entry}").set_value(0.35).run()

    assert not app.exception
    assert figures(app)["Positive nuclei"][1].startswith("20 %")


def test_undo_moves_the_slider_back(visit, pathologist: User, entry: str):
    app = visit(pathologist, entry=entry)
    app.slider(key=f"moderate-{entry}").set_value(0.25).run()
    app.button(key="adjust_undo").click().run()

    assert app.slider(key=f"moderate-{entry}").value == 0.4
    assert "with your changes" not in words(app)
    assert not app.button(key="adjust_redo").disabled


def test_saved_changes_are_there_when_the_entry_is_opened_again(
    visit, database: Database, pathologist: User, entry: str
):
    app = visit(pathologist, entry=entry)
    app.slider(key=f"strong-{entry}").set_value(0.45).run()
    app.button(key="adjust_save").click().run()
    assert not app.exception
    again = visit(pathologist, entry=entry)

    stored = history.get_adjustments(database, pathologist, entry)
    assert stored is not None and stored.adjustments.thresholds.strong == 0.45
    assert figures(again)["Weak · moderate · strong"] == ["20 % · 10 % · 10 %", "20 % · 0 % · 20 %"]
    assert again.button(key="adjust_save").disabled


def test_reads_as_er_or_as_ki67(visit, pathologist: User, entry: str):
    app = visit(pathologist, entry=entry)
    app.segmented_control(key="read_as").set_value("ER").run()
    assert figures(app)["ER by guideline"] == ["positive"]

    app.segmented_control(key="read_as").set_value("Ki-67").run()
    assert "Measured **Ki-67 index 40 %" in words(app)
    assert "Hot spot" in figures(app)


def test_a_result_without_nuclei_has_no_such_figures(visit, pathologist: User, stored: list[str]):
    app = visit(pathologist, entry=stored[0])

    assert not app.exception
    assert "Measured on the nuclei" not in words(app)
    assert not app.slider


def test_outlines_travel_as_shares_of_the_picture(measured: Result):
    header, blobs = unpack(pack(measured, "one"))
    spec, nuclei = header["nuclei"], measured.nuclei
    places = numbers(spec["places"], blobs).reshape(spec["count"], spec["points"] + 1, 2) / HIGHEST

    np.testing.assert_allclose(places[:, 0] * SIZE - 0.5, nuclei.centres, atol=0.01)
    np.testing.assert_allclose(places[:, 1:] * SIZE - 0.5, nuclei.outlines, atol=0.01)


def test_numbers_of_the_nuclei_keep_two_decimals(measured: Result):
    with_membranes = replace(measured, nuclei=replace(hand_made_nuclei(membranes=True)))
    header, blobs = unpack(pack(with_membranes, "one"))
    columns = {column["title"]: column for column in header["nuclei"]["columns"]}
    dab, width = columns["mean DAB"], columns["membrane width"]

    np.testing.assert_allclose(numbers(dab["at"], blobs) * dab["scale"], hand_made_nuclei().dab_od, atol=0.001)
    missing = numbers(width["at"], blobs) == HIGHEST
    np.testing.assert_array_equal(missing, ~hand_made_nuclei().positive)


def test_twenty_thousand_nuclei_stay_small(measured: Result):
    many = replace(measured, nuclei=hand_made_nuclei(count=20_000, size=(5468, 5468)))

    assert len(pack(many, "one")) - len(pack(measured, "one")) < 1_700_000


def test_the_viewer_is_told_the_classes_that_the_scores_rest_on():
    nuclei = hand_made_nuclei()
    classes = np.where(nuclei.positive, 1, 0).astype(np.int8)
    classes[0] = -1
    live = Live("one", classes, Adjustments(corrections={0: -1}), {"tab": 4}, undo=True, redo=False).message()

    sent = np.frombuffer(base64.b64decode(live["classes"]), np.uint8)
    assert (sent[0], (sent == 1).sum(), (sent == 0).sum()) == (255, 40, 59)
    assert live["corrected"] == [0] and live["taken"] == {"tab": 4}


def test_exports_count_what_the_screen_counts(measured: Result):
    opened = Opened(measured, b"")
    opened.adjusting.change(Adjustments(corrections={0: 3, 1: -1}))
    scores = adjusted_scores(measured.nuclei, opened.adjusting.now).nuclear
    table = list(csv.DictReader(io.StringIO(measuring_exports._csv(opened, measured.nuclei).decode("utf-8-sig"))))
    features = json.loads(measuring_exports._geojson(opened, measured.nuclei))["features"]

    assert sum(row["counted"] == "yes" for row in table) == scores.counted == len(features) == 99
    assert measuring_exports._overlay(opened, measured.nuclei).startswith(b"\x89PNG")
