"""Seconds from choosing a file to the finished page, as the browser shows it.

    python -m benchmarks.page [--data ../shared/data] [--repeats 5]

Starts the workbench, signs in, gives the start page a 1024 x 1024 image and waits until the score and the heat map are
drawn; a small change to the picture each time keeps the history from recognising it. Then an opacity slider and a
reload, which must run no network. Aim: under 2 s from upload to the finished page.
"""

import argparse
import io
import statistics
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from benchmarks.signed_in import ROOT, signed_in_page

FILES = {"IHC 1024 x 1024": "bci/IHC/00006_test_3+.png", "H&E 1024 x 1024": "bci/HE/00002_test_2+.png"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with signed_in_page(120_000) as (page, url):
        print("| upload | to the finished page, s (median) | slowest |")
        print("|---|---|---|")
        for title, file in FILES.items():
            seconds = [upload(page, url, arguments.data / file, number) for number in range(arguments.repeats + 1)][1:]
            print(f"| {title} | {statistics.median(seconds):.2f} | {max(seconds):.2f} |", flush=True)


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
