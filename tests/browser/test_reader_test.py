"""A blind reader test as people do it: made of real tiles, left half-way, resumed, finished, and read by another."""

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from browser_people import Workbench, fits_the_width, sign_in
from playwright.sync_api import Page, expect

MAKING_MS = 240_000
EACH = 3
TOTAL = 2 * EACH


@pytest.fixture(scope="session")
def real_tiles(shared_data: Path) -> bytes:
    """A ZIP of real tiles of a nuclear stain, without classes."""
    from core.images import encode_png
    from core.training.bundled.nuclear_tiles import labelled_tiles, read_fields

    fields = [field for field in read_fields(shared_data) if field.source == "bcdata"][:2]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, (_, case, tile) in enumerate(labelled_tiles(fields)):
            archive.writestr(f"{case}__{number}.png", encode_png(tile))
    return packed.getvalue()


def open_tab(page: Page, workbench: Workbench) -> None:
    """Sign in and go to the tab."""
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.goto(f"{workbench.url}/synthesis")
    page.get_by_role("tab", name="Real or synthetic?").click()
    expect(page.get_by_text("New test")).to_be_visible()


def make_test(page: Page, name: str, tiles: bytes) -> None:
    """Fill in the form: uploaded real tiles beside freshly sampled ones."""
    make = page.get_by_role("button", name="Make the test")
    real = page.get_by_role("radiogroup", name="Real images from").get_by_text("Upload")
    page.wait_for_timeout(1500)  # the panel is open by itself where there is no test yet
    if not real.is_visible():
        page.get_by_text("New test").click()
    real.click()
    chooser = page.get_by_test_id("stFileUploader").filter(has_text="Images or a ZIP of images")
    expect(chooser).to_be_visible()
    file = {"name": "tiles.zip", "mimeType": "application/zip", "buffer": tiles}
    chooser.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("tiles.zip")).to_be_visible()
    for label in ("Real images", "Synthetic images"):
        page.get_by_label(label, exact=True).fill(str(EACH))
        page.keyboard.press("Tab")
    page.get_by_label("Name").fill(name)
    page.keyboard.press("Tab")
    expect(make).to_be_enabled()
    make.click()
    expect(page.get_by_text(f"{TOTAL} images").first).to_be_visible(timeout=MAKING_MS)


def at_image(page: Page, number: int) -> str:
    """Wait for an image and return its address."""
    expect(page.get_by_text(f"Image {number} of {TOTAL}")).to_be_visible()
    shown = page.get_by_test_id("stImage").locator("img")
    expect(shown).to_be_visible()
    return shown.get_attribute("src") or ""


def settled(page: Page) -> None:
    """Wait until the page does nothing: a key belongs to the image that is on the screen when it is pressed."""
    page.wait_for_timeout(500)
    expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_visible()


def test_a_reader_test_is_made_left_resumed_and_judged(page: Page, workbench: Workbench, real_tiles: bytes) -> None:
    name = f"Tiles at {page.viewport_size['width'] if page.viewport_size else 0}"
    open_tab(page, workbench)
    make_test(page, name, real_tiles)
    line = page.locator("[class*=st-key-own_test-]").filter(has_text=name)
    line.get_by_role("button", name="Read").click()

    first = at_image(page, 1)
    settled(page)
    assert re.search(r"/media/[0-9a-f]+\.jpg$", first)  # no name, the same kind of file for every image
    page.keyboard.press("r")
    at_image(page, 2)
    settled(page)
    page.get_by_text("sure", exact=True).click()
    settled(page)
    page.keyboard.press("s")
    third = at_image(page, 3)
    page.reload()
    assert at_image(page, 3) == third
    for number in range(3, TOTAL):
        page.get_by_role("button", name="Synthetic").click()
        at_image(page, number + 1)
    page.get_by_role("button", name="Real").click()

    expect(page.get_by_text("Every image has its answer")).to_be_visible()
    expect(page.get_by_text("95 % interval").first).to_be_visible()
    expect(page.locator("button[data-id]")).to_have_count(TOTAL)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV of my answers").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert [row["answer"] for row in rows] == ["real", "synthetic", *["synthetic"] * (EACH), "real"]
    assert {row["truth"] for row in rows} == {"real", "synthetic"}
    assert fits_the_width(page)

    share_and_read_as_another(page, workbench, name)


def share_and_read_as_another(page: Page, workbench: Workbench, name: str) -> None:
    """Offer the test; the second reader finds it, and sees nothing of the first reader's answers."""
    page.goto(f"{workbench.url}/synthesis")
    page.get_by_role("tab", name="Real or synthetic?").click()
    line = page.locator("[class*=st-key-own_test-]").filter(has_text=name)
    line.get_by_text("Offered").click()
    line.get_by_text("Results of all readers").click()
    expect(line.get_by_text("CSV of all answers")).to_be_visible()
    assert fits_the_width(page)
    page.goto(f"{workbench.url}/sign_out")
    expect(page.get_by_label("Name")).to_be_visible()
    sign_in(page, workbench, name="second reader")
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.goto(f"{workbench.url}/reading")
    offered = page.locator("[class*=st-key-reader_test-]").filter(has_text=name)
    offered.get_by_role("button", name="Read").click()
    at_image(page, 1)
    assert page.get_by_test_id("stMetricValue").count() == 0
