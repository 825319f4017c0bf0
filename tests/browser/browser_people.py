"""A live workbench for browser tests: starting it, signing in, reading the score off the page."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 120
NAME, PASSWORD = "Dr Ada", "correct horse battery"


@dataclass(frozen=True)
class Workbench:
    """A running server: where it is and where it keeps its data."""

    url: str
    data_dir: Path


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
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/api/health", timeout=5).status_code == 200:
                return process, url
        except httpx.TransportError:
            time.sleep(0.2)
    process.terminate()
    pytest.fail("The workbench did not start:\n" + (data_dir / "server.log").read_text(errors="replace")[-3000:])


def sign_in(page: Page, workbench: Workbench, *, name: str = NAME, password: str = PASSWORD) -> None:
    """Fill in the form of the sign-in page and send it."""
    page.goto(workbench.url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def score_of(page: Page, timeout_ms: int) -> str:
    """Wait for the answer and read it."""
    metric = page.get_by_test_id("stMetricValue")
    expect(metric).to_be_visible(timeout=timeout_ms)
    return metric.inner_text().strip()


def fits_the_width(page: Page) -> bool:
    """Whether nothing sticks out to the right."""
    return bool(page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1"))
