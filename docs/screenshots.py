"""Make the pictures of the README: every screen of a workbench with a few analyses.

    python docs/screenshots.py [--out docs] [--width 390] [--dark] [--images FILE...]

Signs in on a fresh data folder, scores the simulated samples, and other images where they are given, and trains on
simulated tiles for a minute or two.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SAMPLES = {"HER2 0": "analyze_0.png", "PR+": "analyze_pr.png", "H&E": "analyze_he.png", "HER2 3+": "analyze.png"}
NAME, PASSWORD = "Dr Ada", "a long enough password"


def main() -> None:
    """Start a workbench, visit its screens, save the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--images", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    with tempfile.TemporaryDirectory() as data_dir, sync_playwright() as playwright:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
            cwd=ROOT,
            env=os.environ | {"DATA_DIR": data_dir},
        )
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            page = browser.new_page(
                viewport={"width": arguments.width, "height": 900},
                color_scheme="dark" if arguments.dark else "light",
            )
            page.set_default_timeout(180_000)
            visit_all(page, url, arguments.out, arguments.images)
        finally:
            browser.close()
            server.terminate()
            server.wait()


def visit_all(page: Page, url: str, out: Path, images: list[Path]) -> None:
    """Every screen once."""
    while True:
        try:
            httpx.post(f"{url}/auth/setup", data={"name": NAME, "password": PASSWORD}, timeout=30)
            break
        except httpx.TransportError:
            time.sleep(0.2)
    page.goto(url)
    page.get_by_label("Name").wait_for()
    save(page, out / "sign_in.png")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Drop an image above").wait_for()
    for sample, name in SAMPLES.items():
        page.goto(url)
        page.get_by_text("Or try a sample", exact=True).wait_for()
        page.get_by_role("radio", name=sample).or_(page.get_by_role("button", name=sample)).first.click()
        finish(page)
        save(page, out / name)
    for path in images:
        page.goto(url)
        page.get_by_text("Drop an image above").wait_for()
        page.locator("input[type=file]").first.set_input_files(path)
        finish(page)
        save(page, out / f"{path.stem}.png")
    synthesise(page, url, out)
    stain(page, url, out)
    page.goto(f"{url}/demonstration")
    finish(page)
    save(page, out / "demonstration.png")
    train(page, url, out)
    for screen in ("history", "models", "account", "admin"):
        page.goto(f"{url}/{screen}")
        page.get_by_role("heading").first.wait_for()
        save(page, out / f"{screen}.png")


def synthesise(page: Page, url: str, out: Path) -> None:
    """A gallery with one image looked at closely, then the generator's health."""
    page.goto(f"{url}/synthesis")
    page.get_by_role("button", name="Generate", exact=True).click()
    page.locator("button[data-id]").nth(4).click()
    page.get_by_text("Nearest training image").first.wait_for()
    save(page, out / "synthesis.png")
    page.get_by_role("tab", name="Health").click()
    page.get_by_role("button", name="Measure").click()
    page.get_by_text("Fréchet distance").first.wait_for()
    save(page, out / "health.png")


def stain(page: Page, url: str, out: Path) -> None:
    """The sample, stained virtually."""
    page.goto(f"{url}/virtual_staining")
    page.get_by_role("button", name="sample").first.click()
    page.locator(".viewer[data-ready]").wait_for()
    save(page, out / "virtual_staining.png")


def train(page: Page, url: str, out: Path) -> None:
    """A training on simulated tiles: before it starts, while it runs, and when it is judged."""
    page.goto(f"{url}/training")
    page.get_by_text("Simulated example", exact=True).click()
    page.get_by_role("button", name="Make it").first.click()
    page.get_by_text("Images of each class").wait_for()
    page.get_by_role("spinbutton", name="Epochs").first.fill("12")
    page.get_by_role("spinbutton", name="Epochs").first.press("Enter")
    save(page, out / "training_new.png")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text(re.compile(r"Epoch ([6-9]|1[0-2]) of 12")).first.wait_for()
    save(page, out / "training_live.png")
    page.get_by_text("Confusion matrix").wait_for()
    save(page, out / "training.png")


def finish(page: Page) -> None:
    """Wait until an answer and its picture are drawn."""
    page.get_by_test_id("stMetricValue").or_(page.get_by_role("alert")).first.wait_for()
    page.locator(".viewer[data-ready]").or_(page.get_by_role("alert")).first.wait_for()


def save(page: Page, path: Path) -> None:
    """Save what the window shows, once it is at rest."""
    time.sleep(3)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
