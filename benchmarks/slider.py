"""Milliseconds from moving a threshold to the new figures and the new colours, as the browser shows them.

    python -m benchmarks.slider [--size 2000] [--steps 20]

Starts the workbench, gives it a simulated nuclear stain with some thousand nuclei and moves the slider of "strong" up
and down. Both clocks are the browser's: from the key to the first change of the figures, and of the counts under the
outlines. Aim: under 200 ms. Then the time that drawing all outlines takes.
"""

import argparse
import io
import statistics

from PIL import Image
from playwright.sync_api import Page

from benchmarks.signed_in import signed_in_page
from core.phantoms.phantom import nuclear_phantom

WATCH = """() => {
    const panel = document.querySelector(".st-key-measuring")
    const viewer = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
        .map(each => each.shadowRoot.querySelector(".counts")).find(Boolean)
    const texts = { figures: () => panel.querySelector("table").innerText, colours: () => viewer.innerText }
    const look = () => {
        for (const name of Object.keys(texts)) {
            if (window.before && texts[name]() !== window.before[name]) {
                window.measured[name] ??= performance.now() - window.pressed
            }
        }
    }
    for (const node of [panel, viewer]) {
        new MutationObserver(look).observe(node, { subtree: true, childList: true, characterData: true })
    }
    addEventListener("keydown", () => {
        window.measured = {}
        window.before = { figures: texts.figures(), colours: texts.colours() }
        window.pressed = performance.now()
    }, true)
}"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2000, help="side of the simulated field in pixels")
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    picture = io.BytesIO()
    Image.fromarray(nuclear_phantom(1, percent_positive=40, size_px=arguments.size).image).save(picture, "PNG")
    with signed_in_page(300_000) as (page, _):
        open_field(page, picture.getvalue())
        report(page, arguments.steps)


def open_field(page: Page, picture: bytes) -> None:
    """Give the start page the field and wait for its figures."""
    page.get_by_text("PR", exact=True).first.click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "simulated.png", "mimeType": "image/png", "buffer": picture}
    )
    page.get_by_role("button", name="Reset all").wait_for()
    page.get_by_role("radio", name="Correct").wait_for()
    page.get_by_role("button", name="PDF").wait_for()


def report(page: Page, steps: int) -> None:
    """Move the slider and print how long it took."""
    nuclei = page.get_by_test_id("viewer").get_attribute("data-nuclei")
    slider = page.get_by_role("slider", name="Strong from")
    slider.press("ArrowRight")  # the first change brings the column of changed figures
    page.get_by_text("; with your changes").wait_for()
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    found: dict[str, list[float]] = {"figures": [], "colours": []}
    for step in range(steps):
        slider.press("PageDown" if step % 2 else "PageUp")
        page.wait_for_function("window.measured.figures && window.measured.colours")
        for name, values in found.items():
            values.append(page.evaluate(f"window.measured.{name}"))
        page.wait_for_timeout(600)
    print(f"{nuclei} nuclei")
    print("| change | ms (median) | slowest |")
    print("|---|---|---|")
    for name, values in found.items():
        print(f"| {name} | {statistics.median(values):.0f} | {max(values):.0f} |")


if __name__ == "__main__":
    main()
