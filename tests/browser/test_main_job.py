"""The main job as its user does it: sign in, upload, see the score and why, find it again tomorrow."""

import re
from pathlib import Path

import httpx
import pytest
from browser_people import PASSWORD, Workbench, fits_the_width, score_of, sign_in, start
from playwright.sync_api import Page, expect

ANALYSIS_MS = 120_000


def test_the_first_start_creates_the_administrator(page: Page, tmp_path: Path) -> None:
    process, url = start(tmp_path / "data")
    try:
        page.goto(url)
        expect(page.get_by_text("Create the administrator").first).to_be_visible()
        page.get_by_label("Name").fill("Dr Ada")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password again").fill(PASSWORD)
        page.get_by_role("button", name="Create the administrator").click()
        expect(page.get_by_text("Drop an image above")).to_be_visible()
        assert fits_the_width(page)
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_wrong_password_gets_one_neutral_sentence(page: Page, workbench: Workbench) -> None:
    sign_in(page, workbench, name="nobody", password="wrong password")
    expect(page.get_by_role("alert").first).to_contain_text("wrong")


def test_scores_a_real_core_and_a_real_h_and_e_field(page: Page, workbench: Workbench, shared_data: Path) -> None:
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()

    page.locator("input[type=file]").first.set_input_files(shared_data / "her2_cores" / "3+" / "a1f1510c.jpg")
    assert score_of(page, ANALYSIS_MS) == "3+"
    expect(page.get_by_text("confidence").first).to_be_visible()
    expect(page.get_by_text("Pixel size unknown").first).to_be_visible()
    assert fits_the_width(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")

    page.goto(workbench.url)
    page.locator("input[type=file]").first.set_input_files(shared_data / "bci" / "HE" / "00002_test_2+.png")
    assert score_of(page, ANALYSIS_MS) in ("0", "1+", "2+", "3+", "insufficient tissue")
    expect(page.get_by_text("not real staining").first).to_be_visible()
    assert fits_the_width(page)

    page.goto(f"{workbench.url}/history")
    expect(page.get_by_text("a1f1510c.jpg", exact=True).first).to_be_visible()
    expect(page.get_by_text("00002_test_2+.png", exact=True).first).to_be_visible()
    assert fits_the_width(page)
    page.get_by_role("button", name="Open result").first.click()
    expect(page.get_by_text("not real staining").first).to_be_visible()


def test_a_reload_shows_the_same_result_without_a_network(page: Page, workbench: Workbench, shared_data: Path) -> None:
    sign_in(page, workbench)
    page.locator("input[type=file]").first.set_input_files(shared_data / "bci" / "IHC" / "00006_test_3+.png")
    first = score_of(page, ANALYSIS_MS)
    expect(page).to_have_url(re.compile("entry="))
    page.reload()
    assert score_of(page, 20_000) == first


def test_the_pathologists_own_score_stays_beside_the_models(
    page: Page, workbench: Workbench, shared_data: Path
) -> None:
    sign_in(page, workbench)
    page.locator("input[type=file]").first.set_input_files(shared_data / "bci" / "IHC" / "00006_test_3+.png")
    score_of(page, ANALYSIS_MS)
    page.get_by_label("Comment").fill("checked at the microscope")
    page.get_by_role("button", name="Save your score").click()
    expect(page.get_by_text("Your score is saved")).to_be_visible()
    page.goto(f"{workbench.url}/history")
    expect(page.get_by_text("checked at the microscope").first).to_be_visible()


@pytest.mark.parametrize("content", [b"", b"this is text, not a picture"])
def test_a_bad_file_gets_a_sentence_and_no_trace(page: Page, workbench: Workbench, content: bytes) -> None:
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "odd.png", "mimeType": "image/png", "buffer": content}
    )
    expect(page.get_by_role("alert").first).to_contain_text("odd.png")
    expect(page.get_by_text("Traceback")).to_have_count(0)


@pytest.mark.parametrize(
    "path", ["", "analyze", "history", "training", "account", "admin", "models", "secret", "router"]
)
def test_signed_out_every_address_shows_the_sign_in(page: Page, workbench: Workbench, path: str) -> None:
    page.goto(f"{workbench.url}/{path}")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Drop an image above")).to_have_count(0)


def test_one_user_cannot_read_anothers_result_by_its_id(page: Page, workbench: Workbench, shared_data: Path) -> None:
    sign_in(page, workbench)
    page.locator("input[type=file]").first.set_input_files(shared_data / "bci" / "IHC" / "00013_test_0.png")
    score_of(page, ANALYSIS_MS)
    expect(page).to_have_url(re.compile("entry="))
    entry = page.url.rsplit("entry=", 1)[1]
    page.context.clear_cookies()
    sign_in(page, workbench, name="second reader")
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.goto(f"{workbench.url}/?entry={entry}")
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_text("00013_test_0.png")).to_have_count(0)
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    for route in ("", "/report.pdf", "/report.json", "/report.zip", "/thumbnail.jpg"):
        assert httpx.get(f"{workbench.url}/api/history/{entry}{route}", cookies=cookies).status_code == 404
        assert httpx.get(f"{workbench.url}/api/history/{entry}{route}").status_code == 401
