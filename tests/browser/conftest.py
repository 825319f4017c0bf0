"""A live workbench on a free port with an empty data folder, and Chromium to use it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 120
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@dataclass(frozen=True)
class Workbench:
    """A running server: where it is and where it keeps its data."""

    url: str
    data_dir: Path


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


def start(data_dir: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the workbench as the README says, on a free port, and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    with (data_dir / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"DATA_DIR": str(data_dir)}, stdout=log, stderr=subprocess.STDOUT
        )
    url = f"http://localhost:{port}"
    for _ in range(START_LIMIT_S * 5):
        try:
            if httpx.get(f"{url}/api/health", timeout=5).status_code == 200:
                return process, url
        except httpx.TransportError:
            time.sleep(0.2)
        if process.poll() is not None:
            break
    process.terminate()
    pytest.fail("The workbench did not start:\n" + (data_dir / "server.log").read_text(errors="replace")[-3000:])


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """One server for all browser tests; the tests of the first start come first."""
    data_dir = tmp_path_factory.mktemp("workbench") / "data"
    process, url = start(data_dir)
    yield Workbench(url, data_dir)
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(params=[1440, 390], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A fresh browser window, wide and narrow."""
    context = chromium.new_context(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    window = context.new_page()
    window.set_default_timeout(60_000)
    yield window
    context.close()
