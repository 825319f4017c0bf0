"""Synthetic images as a researcher meets them: sampled, looked at, starred, exported, kept, and trained on."""

import csv
import json
import re
import zipfile
from pathlib import Path

import httpx
import pytest
from browser_people import Workbench, fits_the_width, sign_in
from playwright.sync_api import Page, expect

from core.png_text import read_text

FIRST_MS = 180_000
"""The first images need the networks, which a busy machine loads slowly."""


def open_synthesis(page: Page, workbench: Workbench) -> None:
    """Sign in and go to the page."""
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.goto(f"{workbench.url}/synthesis")
    expect(page.get_by_text("No images yet.")).to_be_visible()


def generate(page: Page, *, seed: str, count: str = "64") -> None:
    """Ask for images and wait for the first."""
    page.get_by_role("textbox", name="Seed").fill(seed)
    page.get_by_role("textbox", name="Seed").press("Enter")
    page.get_by_role("spinbutton", name="Images").fill(count)
    page.get_by_role("spinbutton", name="Images").press("Enter")
    page.get_by_role("button", name="Generate", exact=True).click()


def picture_of(page: Page, seed: int) -> str:
    """The picture of one seed, as the browser has it."""
    return str(
        page.get_by_role("button", name=f"Synthetic PR+, seed {seed}", exact=True).locator("img").get_attribute("src")
    )


@pytest.mark.timeout(900)
def test_samples_stars_exports_keeps_and_trains(page: Page, workbench: Workbench) -> None:
    width = page.viewport_size["width"] if page.viewport_size else 0
    open_synthesis(page, workbench)
    generate(page, seed="7")
    expect(page.locator("button[data-id]")).to_have_count(64, timeout=FIRST_MS)
    assert fits_the_width(page)

    # One image closely: what the classifier makes of it, and how near it is to a training image.
    page.locator("button[data-id]").nth(2).click()
    detail = page.locator(".st-key-sample_detail")
    expect(detail).to_contain_text("seed 9", timeout=FIRST_MS)
    expect(detail).to_contain_text(re.compile(r"Classifier: PR[+-], \d+%"))
    expect(detail).to_contain_text("Sharpness")
    expect(detail.locator("img").first).to_be_visible()
    assert fits_the_width(page)

    # Two favourites of the first page; they stay while another seed is looked at, and so does the seed's picture.
    first = picture_of(page, 8)
    for place in (1, 4):
        page.locator("button[data-star]").nth(place).click()
    expect(page.get_by_text("2 favourites")).to_be_visible()
    generate(page, seed="900", count="8")
    expect(page.locator("button[data-id]")).to_have_count(8)
    expect(page.get_by_text("2 favourites")).to_be_visible()
    generate(page, seed="8", count="8")
    expect(page.get_by_role("button", name="Synthetic PR+, seed 8", exact=True)).to_be_visible()
    assert picture_of(page, 8) == first

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Favourites as ZIP").click()
    check_export(waiting.value.path(), workbench)

    # Kept in a collection, which becomes a data set that Training lists.
    name = f"best of {width}"
    page.get_by_role("combobox", name="Collection").fill(name)
    page.get_by_role("combobox", name="Collection").press("Enter")
    page.get_by_role("button", name="Keep favourites").click()
    expect(page.get_by_text(f'2 images are kept in "{name}"')).to_be_visible()
    page.get_by_role("button", name="Open the collection").click()
    expect(page.get_by_text("2 images: 2 PR+").first).to_be_visible()
    assert fits_the_width(page)
    page.get_by_role("button", name="Use as data set in Training").click()
    expect(page.get_by_text("Stored as the data set")).to_be_visible()
    page.goto(f"{workbench.url}/training")
    page.get_by_role("tab", name="Data sets").click()
    expect(page.get_by_text(f"{name} (synthetic)").first).to_be_visible(timeout=FIRST_MS)
    assert fits_the_width(page)


def check_export(path: Path, workbench: Workbench) -> None:
    """Two marked PNGs and their manifest, as table and as data."""
    weights = httpx.get(f"{workbench.url}/api/health", timeout=60).json()["models"]["medsyngan_g"]
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(archive.read("manifest.csv").decode("utf-8-sig").splitlines()))
        data = json.loads(archive.read("manifest.json"))
        marks = [read_text(archive.read(f"images/{row['file']}")) for row in rows]
    assert [(row["class"], row["seed"], row["weights_sha256"]) for row in rows] == [
        ("PR+", "8", weights),
        ("PR+", "11", weights),
    ]
    assert data["synthetic"] is True and {"sharpness", "confidence"} <= set(data["images"][0]["scores"])
    assert all(row["file"].startswith("synthetic_") for row in rows)
    assert [mark["Seed"] for mark in marks] == ["8", "11"] and "Synthetic" in marks[0]["Comment"]


def test_goes_from_one_class_to_the_other_and_refuses_in_words(page: Page, workbench: Workbench) -> None:
    open_synthesis(page, workbench)
    generate(page, seed="seven")
    expect(page.get_by_role("alert").first).to_contain_text("whole number")
    page.get_by_role("tab", name="Interpolate").click()
    page.get_by_text("Two classes", exact=True).click()
    page.get_by_role("button", name="Show the way").click()
    expect(page.get_by_text("PR- to PR+, seed 1")).to_be_visible()
    expect(page.locator("button[data-id^='step']")).to_have_count(9)
    assert fits_the_width(page)
    page.get_by_text("Play", exact=True).click()
    expect(page.locator("button[data-id='animation'] img")).to_be_visible()
    assert fits_the_width(page)
