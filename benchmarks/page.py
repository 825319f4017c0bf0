"""Seconds from choosing a file to the finished page, as the browser shows it.

    python -m benchmarks.page [--data ../shared/data] [--repeats 5]

Starts the workbench, signs in, gives the start page a 1024 x 1024 image and waits until the score and the heat map are
drawn; a small change to the picture each time keeps the history from recognising it. Then an opacity slider and a
reload, which must run no network. Aim: under 2 s from upload to the finished page.
"""

import argparse
import io
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NAME, PASSWORD = "benchmark", "a long enough password"
FILES = {"IHC 1024 x 1024": "bci/IHC/00006_test_3+.png", "H&E 1024 x 1024": "bci/HE/00002_test_2+.png"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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
            page.set_default_timeout(120_000)
            sign_in(page, f"http://localhost:{port}")
            print("| upload | to the finished page, s (median) | slowest |")
            print("|---|---|---|")
            for title, file in FILES.items():
                seconds = [
                    upload(page, f"http://localhost:{port}", arguments.data / file, number)
                    for number in range(arguments.repeats + 1)
                ][1:]
                print(f"| {title} | {statistics.median(seconds):.2f} | {max(seconds):.2f} |", flush=True)
        finally:
            browser.close()
            server.terminate()
            server.wait()


def sign_in(page: Page, url: str) -> None:
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


def upload(page: Page, url: str, path: Path, number: int) -> float:
    """Give the page one image and wait for its score and its picture; returns seconds."""
    image = Image.open(path).convert("RGB")
    image.putpixel((0, 0), (number, number, number))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    page.goto(url)
    page.get_by_text("Drop an image above").wait_for()
    began = time.perf_counter()
    page.locator("input[type=file]").first.set_input_files(
        {"name": path.name, "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    page.get_by_test_id("stMetricValue").wait_for()
    page.get_by_role("button", name="PDF").wait_for()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
