"""The guided tour as a guest takes it, all five steps, and nothing of it stored."""

import sqlite3
import time
from pathlib import Path

import httpx
import pytest
from browser_people import Workbench, fits_the_width, score_of
from playwright.sync_api import Page, expect

LIMIT_MS = 240_000


@pytest.fixture
def guests(workbench: Workbench) -> None:
    """Guests are let in."""
    from core.auth import command_line_user
    from core.db import open_database
    from core.db.settings import AppSettings, save_app_settings

    database = open_database(f"sqlite:///{workbench.data_dir / 'workbench.db'}")
    save_app_settings(database, command_line_user(), AppSettings(guest_mode=True))
    database.close()


def stored(data_dir: Path) -> dict[str, object]:
    """Files but converted networks and logs, and the rows of every table but those that note visits."""
    files = {
        str(path.relative_to(data_dir))
        for path in data_dir.rglob("*")
        if path.is_file()
        and path.name != "server.log"
        and not {"cache", "home"} & set(path.relative_to(data_dir).parts)
        and not path.name.startswith("workbench.db")
    }
    with sqlite3.connect(data_dir / "workbench.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
    return {"files": files} | rows


def go_on(page: Page, step: int) -> None:
    """Press Next, and see that it has led to the step."""
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text(f"Step {step} of 5")).to_be_visible(timeout=LIMIT_MS)


@pytest.mark.slow
@pytest.mark.usefixtures("guests")
@pytest.mark.timeout(900)
def test_a_guest_takes_the_tour_and_nothing_is_stored(page: Page, workbench: Workbench) -> None:
    page.goto(workbench.url)
    page.get_by_role("button", name="Continue as guest").click()
    expect(page.get_by_role("button", name="Take the tour")).to_be_visible(timeout=LIMIT_MS)
    before = stored(workbench.data_dir)
    started = time.monotonic()

    page.get_by_role("button", name="Take the tour").click()
    assert score_of(page, LIMIT_MS) == "3+" and fits_the_width(page)

    go_on(page, 2)
    expect(page.get_by_text("not real staining").first).to_be_visible(timeout=LIMIT_MS)
    assert score_of(page, LIMIT_MS) and fits_the_width(page)

    go_on(page, 3)
    expect(page.get_by_text("Nearest training image:")).to_be_visible(timeout=LIMIT_MS)
    page.locator('button[data-id="PR+ 2"]').click()
    expect(page.get_by_text("Synthetic PR+, seed 2")).to_be_visible()
    assert fits_the_width(page)

    go_on(page, 4)
    for number in range(8):
        expect(page.get_by_text(f"Image {number + 1} of 8").first).to_be_visible(timeout=LIMIT_MS)
        page.get_by_role("button", name="Real" if number % 2 else "Synthetic", exact=True).click()
    expect(page.get_by_text("Synthetic found")).to_be_visible()
    assert fits_the_width(page)

    go_on(page, 5)
    page.get_by_role("button", name="Start the training").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=LIMIT_MS)
    expect(page.get_by_text("tiles of unseen simulated cases")).to_be_visible(timeout=LIMIT_MS)
    assert fits_the_width(page)

    assert stored(workbench.data_dir) == before
    assert time.monotonic() - started < 600  # five minutes are meant for a machine with nothing else to do
    assert httpx.get(f"{workbench.url}/api/health").status_code == 200
