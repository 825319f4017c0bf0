"""Other explanations of one tile, as a reader asks for them: progress, maps, curves, figures; and cancelled."""

from pathlib import Path

import pytest
from browser_people import Workbench, fits_the_width, sign_in
from playwright.sync_api import Page, expect

ANALYSIS_MS = 240_000


@pytest.fixture
def panel(page: Page, workbench: Workbench, shared_data: Path) -> Page:
    """The start page with a scored PR field, and the panel open."""
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.get_by_text("PR", exact=True).first.click()
    page.locator("input[type=file]").first.set_input_files(shared_data / "ki67_masks" / "Bladder1" / "ihc.png")
    expect(page.get_by_test_id("stMetricValue")).to_be_visible(timeout=ANALYSIS_MS)
    page.get_by_text("Other explanations and how far to trust them").click()
    expect(page.get_by_role("button", name="Explain and check")).to_be_visible()
    return page


def test_explains_another_tile_and_checks_the_maps(panel: Page) -> None:
    page, trust = panel, panel.locator(".st-key-trust")
    tiles = trust.locator("button[data-id]")
    expect(tiles.first).to_be_visible()
    second = tiles.nth(1)
    number = second.get_attribute("aria-label") or ""
    second.click()
    trust.get_by_role("button", name="Explain and check").click()
    expect(trust.get_by_role("button", name="Cancel")).to_be_visible()

    expect(trust.get_by_text("What each map is worth")).to_be_visible(timeout=ANALYSIS_MS)
    expect(trust.get_by_text(f"{number.split(',')[0]}: what speaks for")).to_be_visible()
    for name in ("GradCAM conv2", "LIME", "Occlusion"):
        expect(trust.locator(f"button[data-id='{name}']")).to_be_visible()
    expect(trust.locator(".js-plotly-plot")).to_be_visible()
    expect(trust.get_by_role("row", name="LIME and Occlusion")).to_be_visible()
    assert fits_the_width(page)

    trust.locator("button[data-id='LIME']").click()
    expect(trust.get_by_test_id("stImageCaption").get_by_text("LIME")).to_be_visible()


def test_can_be_cancelled(panel: Page) -> None:
    trust = panel.locator(".st-key-trust")
    trust.get_by_role("button", name="Explain and check").click()
    trust.get_by_role("button", name="Cancel").click()

    expect(trust.get_by_role("button", name="Explain and check")).to_be_visible()
    expect(trust.get_by_text("What each map is worth")).to_be_hidden()
