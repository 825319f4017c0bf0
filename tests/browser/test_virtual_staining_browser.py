"""Virtual staining as its user does it: real H&E in, pairs with a slider, filtered, kept as a data set for Training."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from browser_people import Workbench, fits_the_width, sign_in
from playwright.sync_api import Page, expect

STAINING_MS = 180_000


@pytest.fixture
def stained(page: Page, workbench: Workbench, shared_data: Path) -> Page:
    """The page with two real H&E fields of the BCI data set stained, one beside its real IHC."""
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.goto(f"{workbench.url}/virtual_staining")
    expect(page.get_by_text("Nothing stained yet")).to_be_visible()
    uploads = page.locator("input[type=file]")
    names = ["00001_test_2+.png", "00003_test_3+.png"]
    uploads.nth(0).set_input_files([shared_data / "bci" / "HE" / name for name in names])
    uploads.nth(1).set_input_files(shared_data / "bci" / "IHC" / names[0])
    expect(page.get_by_text(names[0])).to_have_count(2)  # in both lists
    page.get_by_role("button", name="Stain 2 files").click()
    expect(page.get_by_text("2 stained, 1 beside their real IHC")).to_be_visible(timeout=STAINING_MS)
    return page


def test_he_is_stained_filtered_and_kept_for_training(stained: Page, workbench: Workbench) -> None:
    page = stained
    expect(page.get_by_text("not real staining").first).to_be_visible()
    assert fits_the_width(page)

    # Before and after, with the slider; the figures beside the real IHC.
    viewer = page.get_by_test_id("viewer")
    expect(viewer.locator(".divider")).to_be_visible()
    expect(viewer.locator(".banner")).to_have_text("Virtual IHC made from H&E: not real staining")
    before = viewer.locator(".top").evaluate("image => image.style.clipPath")
    slider = viewer.locator(".compare input")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowLeft")
    assert viewer.locator(".top").evaluate("image => image.style.clipPath") != before
    expect(page.get_by_text("DAB mask, Dice")).to_be_visible()

    # The other pair has no real IHC to compare with.
    page.locator("button[data-id]").nth(1).click()
    expect(page.get_by_text("00003_test_3+.png · 1024 x 1024 px")).to_be_visible()
    expect(page.get_by_text("DAB mask, Dice")).to_be_hidden()

    # Filtered by image figures alone: what the classifier reads in a virtual stain is no matter of this test.
    confidence = page.get_by_role("spinbutton", name="Confidence from")
    confidence.fill("0")
    confidence.press("Enter")
    page.get_by_text("Class as made").click()
    page.get_by_role("button", name="Filter 2 images").click()
    expect(page.get_by_text(re.compile(r"\d of 2 accepted"))).to_be_visible(timeout=STAINING_MS)

    with page.expect_download() as download:
        page.get_by_role("button", name="ZIP of all").click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert {"images/virtual_00001_test_2+.png", "images/virtual_00003_test_3+.png"} <= set(archive.namelist())

    page.get_by_role("button", name=re.compile("accepted as data set")).click()
    expect(page.get_by_text("Training lists it")).to_be_visible(timeout=STAINING_MS)
    page.get_by_role("button", name="Open Training").click()
    expect(page.get_by_text("Virtual IHC").first).to_be_visible(timeout=STAINING_MS)
    assert list((workbench.data_dir / "datasets").rglob("virtual_00001_test_2+.png"))


def test_ihc_is_refused_in_words(page: Page, workbench: Workbench, shared_data: Path) -> None:
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.goto(f"{workbench.url}/virtual_staining")
    expect(page.get_by_text("Drop H&E here")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(shared_data / "bci" / "IHC" / "00011_test_3+.png")
    page.get_by_role("button", name="Stain", exact=True).click()
    expect(page.get_by_text("looks like IHC already")).to_be_visible(timeout=STAINING_MS)
    page.get_by_role("button", name="Stain it all the same").click()
    expect(page.get_by_text("stained on request")).to_be_visible(timeout=STAINING_MS)
    assert fits_the_width(page)
