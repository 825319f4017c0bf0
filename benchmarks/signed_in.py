"""A workbench of its own in a browser, signed in, for the benchmarks that measure what a person sees."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NAME, PASSWORD = "benchmark", "a long enough password"


@contextmanager
def signed_in_page(timeout_ms: int) -> Iterator[tuple[Page, str]]:
    """Start the workbench on fresh data and yield its start page with its address; ends both afterwards.

    Args:
        timeout_ms: how long anything on the page may take.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    with tempfile.TemporaryDirectory() as data_dir, sync_playwright() as playwright:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
            cwd=ROOT,
            env=os.environ | {"DATA_DIR": data_dir},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(timeout_ms)
            _sign_in(page, url)
            yield page, url
        finally:
            browser.close()
            server.terminate()
            server.wait()


def _sign_in(page: Page, url: str) -> None:
    """Create the account and open the start page."""
    while True:
        try:
            httpx.post(f"{url}/auth/setup", data={"name": NAME, "password": PASSWORD}, timeout=30)
            break
        except httpx.TransportError:
            time.sleep(0.2)
    page.goto(url)
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Drop an image above").wait_for()
