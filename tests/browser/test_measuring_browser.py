"""Measuring as its user does it: a real Ki-67 field, its outlines, a threshold, a region, a correction, the exports."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from browser_people import Workbench, fits_the_width, sign_in
from playwright.sync_api import Locator, Page, expect

ANALYSIS_MS = 180_000


@pytest.fixture
def measured(page: Page, workbench: Workbench, shared_data: Path) -> Page:
    """The start page with a measured field on it."""
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.get_by_text("PR", exact=True).first.click()
    page.locator("input[type=file]").first.set_input_files(shared_data / "ki67_points" / "bcdata" / "1.png")
    expect(page.get_by_text("Measured on the nuclei")).to_be_visible(timeout=ANALYSIS_MS)
    expect(page.get_by_role("radio", name="Correct")).to_be_visible()
    reset = page.get_by_role("button", name="Reset all")
    if reset.is_enabled():  # the other width has left its changes with the same image
        reset.click()
    expect(figure(page, "Nuclei counted")).to_have_text(re.compile(r"^\d+$"))
    return page


def figure(page: Page, label: str) -> Locator:
    """The last cell of a row of figures: with changes where there are any, else as measured."""
    row = page.locator(".st-key-measuring tr", has=page.get_by_text(label, exact=True))
    return row.locator("td").last


def changes(page: Page) -> Locator:
    """The sentence that says what was changed; absent where nothing was."""
    return page.get_by_text("; with your changes")


def counts(page: Page) -> dict[str, int]:
    """The legend of the outlines: nuclei by class."""
    text = page.locator(".counts").inner_text()
    return {name.strip(): int(count) for name, count in re.findall(r"([^:●]+?):\s*(\d+)", text)}


def downloaded(page: Page, name: str) -> bytes:
    """What a download button gives."""
    with page.expect_download() as download:
        page.locator(".st-key-nuclei_exports").get_by_role("button", name=name).click()
    return Path(download.value.path()).read_bytes()


def rows_of(page: Page) -> list[dict[str, str]]:
    """The exported table of nuclei."""
    return list(csv.DictReader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig"))))


def click_nucleus(page: Page, row: dict[str, str], size: int) -> None:
    """Click on the middle of a nucleus of the exported table; `size` is the side of the field in pixels."""
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    x, y = ((float(row[name]) + 0.5) / size for name in ("x_px", "y_px"))
    stage.click(position={"x": x * box["width"], "y": y * box["height"]})


def draw(page: Page, tool: str, corners: list[tuple[float, float]]) -> None:
    """Click the corners of a region, given as shares of the picture, and close it at the first."""
    page.get_by_role("radio", name=tool).click()
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    for x, y in [*corners, corners[0]]:
        stage.click(position={"x": x * box["width"], "y": y * box["height"]})


LEFT_HALF = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)]
CORNER = [(0.1, 0.1), (0.3, 0.1), (0.3, 0.4), (0.1, 0.4)]
FIELD_PX = 640


def test_measures_a_real_field_and_takes_corrections(measured: Page) -> None:
    page = measured
    viewer = page.get_by_test_id("viewer")
    everything = int(figure(page, "Nuclei counted").inner_text())
    assert everything > 50
    assert int(viewer.get_attribute("data-drawn") or 0) == everything == sum(counts(page).values())
    expect(page.get_by_text(re.compile(r"Measured \d"))).to_contain_text("% [")

    # A threshold moves nuclei between the classes, and nothing else changes.
    before = counts(page)
    slider = page.get_by_role("slider", name="Strong from")
    slider.focus()
    for _ in range(30):
        slider.press("ArrowRight")
    expect(changes(page)).to_contain_text("strong from 0.90 OD")
    expect(page.locator(".counts")).not_to_contain_text(f"3+: {before['3+']}")
    assert sum(counts(page).values()) == everything and counts(page)["0"] == before["0"]

    # Only what lies in the region counts, without what is excluded.
    draw(page, "Region", LEFT_HALF)
    expect(figure(page, "Nuclei counted")).to_contain_text("left out")
    in_half = int(figure(page, "Nuclei counted").inner_text().split()[0])
    draw(page, "Exclude", CORNER)
    expect(changes(page)).to_contain_text("1 excluded region")
    expect(figure(page, "Nuclei counted")).not_to_contain_text(f"{in_half} (")
    counted = int(figure(page, "Nuclei counted").inner_text().split()[0])
    assert 0 < counted < in_half < everything
    assert counts(page)["left out"] == everything - counted

    # An unstained nucleus in the region becomes 2+ by eye, at once and in the figures.
    table = rows_of(page)
    assert sum(row["counted"] == "yes" for row in table) == counted
    nucleus = next(row for row in table if row["counted"] == "yes" and row["class"] == "0" and float(row["x_px"]) < 300)
    twos = counts(page)["2+"]
    page.get_by_role("radio", name="Correct").click()
    click_nucleus(page, nucleus, FIELD_PX)
    expect(page.locator(".card")).to_contain_text(f"Nucleus {int(nucleus['id']) + 1}: 0")
    expect(page.locator(".card")).to_contain_text("mean DAB")
    page.locator(".card").get_by_role("button", name="2+").click()
    expect(page.locator(".card")).to_contain_text("2+ (by eye)")
    expect(page.locator(".counts")).to_contain_text(f"2+: {twos + 1}")
    expect(changes(page)).to_contain_text("1 correction")

    # Both exports count what the screen counts.
    on_screen = counts(page)
    table = rows_of(page)
    features = json.loads(downloaded(page, "GeoJSON"))["features"]
    found = [each["properties"] for each in features if each["properties"]["objectType"] == "detection"]
    assert sum(row["counted"] == "yes" for row in table) == len(found) == counted
    names = {"0": "Negative", "1+": "1+", "2+": "2+", "3+": "3+"}
    for title, name in names.items():
        in_table = sum(row["counted"] == "yes" and row["class"] == title for row in table)
        assert in_table == sum(each["classification"]["name"] == name for each in found) == on_screen[title]
    assert sum(each["properties"]["objectType"] == "annotation" for each in features) == 2
    assert downloaded(page, "Overlay").startswith(b"\x89PNG")

    # Undo takes back one step after the other, also with the keys.
    page.locator(".stage").press("Control+z")
    expect(page.locator(".counts")).to_contain_text(f"2+: {twos}")
    page.get_by_test_id("viewer").get_by_role("button", name="Undo").click()
    expect(figure(page, "Nuclei counted")).to_contain_text(f"{in_half} (")
    page.get_by_test_id("viewer").get_by_role("button", name="Redo").click()
    expect(figure(page, "Nuclei counted")).to_contain_text(f"{counted} (")
    assert fits_the_width(page)


def test_saved_changes_come_back_with_the_entry(measured: Page) -> None:
    page = measured
    draw(page, "Region", LEFT_HALF)
    expect(figure(page, "Nuclei counted")).to_contain_text("left out")
    kept = figure(page, "Nuclei counted").inner_text()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Your changes are saved.")).to_be_visible()
    page.reload()
    expect(figure(page, "Nuclei counted")).to_have_text(kept, timeout=ANALYSIS_MS)
    expect(changes(page)).to_contain_text("1 region")

    page.get_by_role("button", name="Reset all").click()
    expect(changes(page)).to_have_count(0)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("button", name="Save changes")).to_be_disabled()


def test_a_region_that_crosses_itself_is_refused_with_a_sentence(measured: Page) -> None:
    page = measured
    draw(page, "Region", [(0.1, 0.1), (0.6, 0.6), (0.6, 0.1), (0.1, 0.6)])

    expect(page.get_by_text("crosses itself").first).to_be_visible()
    expect(changes(page)).to_have_count(0)


def test_a_region_can_be_drawn_by_hand(measured: Page) -> None:
    page = measured
    page.get_by_role("radio", name="Region").click()
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in [*LEFT_HALF, LEFT_HALF[0]]]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=25)
    page.mouse.up()

    expect(changes(page)).to_contain_text("1 region")
    expect(figure(page, "Nuclei counted")).to_contain_text("left out")


def test_outlines_go_over_every_layer_and_off(measured: Page) -> None:
    page = measured
    viewer = page.get_by_test_id("viewer")
    for layer in ("DAB", "Grad-CAM", "Image"):
        viewer.get_by_role("radio", name=layer, exact=True).click()
        expect(viewer.locator("canvas.outlines")).to_be_visible()
    viewer.get_by_role("button", name="Nuclei").click()
    expect(viewer.locator("canvas.outlines")).to_be_hidden()
    expect(viewer.locator(".counts")).to_be_hidden()
