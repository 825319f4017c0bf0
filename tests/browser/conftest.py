"""A live workbench on a free port with an empty data folder, and Chromium to use it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser_people import NAME, PASSWORD, Workbench, start
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=60_000)

CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, so that `pytest -m "not browser"` leaves it out."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """One server for the browser tests, with an administrator and a second reader."""
    data_dir = tmp_path_factory.mktemp("workbench") / "data"
    process, url = start(data_dir)
    httpx.post(f"{url}/auth/setup", data={"name": NAME, "password": PASSWORD}, timeout=60)
    add_second_reader(data_dir)
    yield Workbench(url, data_dir)
    process.terminate()
    process.wait(timeout=20)


def add_second_reader(data_dir: Path) -> None:
    """Another account in the same database."""
    from core.auth import add_user, command_line_user
    from core.db import open_database
    from core.labels import Role

    database = open_database(f"sqlite:///{data_dir / 'workbench.db'}")
    add_user(database, command_line_user(), "second reader", PASSWORD, Role.PATHOLOGIST)
    database.close()


@pytest.fixture(params=[1440, 390], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A fresh browser window, wide and narrow."""
    context = chromium.new_context(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    window = context.new_page()
    window.set_default_timeout(60_000)
    yield window
    context.close()
