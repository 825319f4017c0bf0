"""Seconds from `streamlit run app.py` to the first answered health check and to the first visible page.

    python -m benchmarks.start [--repeats 3]

The first start converts the networks; the later ones are warm. Aim: under 6 s warm.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def start_once(data_dir: str, browser_path: str) -> tuple[float, float, float]:
    """Seconds to the health answer and to the page's heading, and the idle server's memory in MB."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_page()
        began = time.perf_counter()
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        server = subprocess.Popen(
            [*command, f"--server.port={port}"],
            cwd=ROOT,
            env=os.environ | {"DATA_DIR": data_dir},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://localhost:{port}"
            while not answers(f"{url}/api/health"):
                time.sleep(0.05)
            healthy = time.perf_counter() - began
            page.goto(url)
            page.get_by_role("heading").first.wait_for()
            shown = time.perf_counter() - began
            time.sleep(20)
            pages = int(Path(f"/proc/{server.pid}/statm").read_text(encoding="ascii").split()[1])
            return healthy, shown, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        finally:
            server.terminate()
            server.wait()
            browser.close()


def answers(url: str) -> bool:
    """Whether the server answers yet."""
    try:
        return httpx.get(url, timeout=1).status_code == 200
    except httpx.TransportError:
        return False


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    browser_path = shutil.which("chromium") or ""
    if not browser_path:
        raise SystemExit("Chromium is not installed.")
    with tempfile.TemporaryDirectory() as data_dir:
        print("| start | health, s | first page, s | idle memory after 20 s, MB |")
        print("|---|---|---|---|")
        for number in range(repeats + 1):
            healthy, shown, memory = start_once(data_dir, browser_path)
            print(f"| {'first' if number == 0 else 'warm'} | {healthy:.1f} | {shown:.1f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
