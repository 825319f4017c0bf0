"""A training as a researcher does it: upload, start, watch, stop, resume, use the weights, go back."""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser_people import Workbench, fits_the_width, sign_in
from playwright.sync_api import Page, expect

TRAINING_MS = 240_000
POINTS = """() => Math.max(0, ...[...document.querySelectorAll(".js-plotly-plot")]
    .flatMap(chart => (chart.data || []).map(trace => (trace.y || []).length)))"""
"""Points of the longest curve on the page."""

EPOCHS = 10


@pytest.fixture(scope="session")
def tiles(shared_data: Path) -> dict[str, bytes]:
    """Real tiles of a nuclear stain in class folders, the case in the file name."""
    from core.images import encode_png
    from core.training.bundled.nuclear_tiles import labelled_tiles, read_fields

    fields = [field for field in read_fields(shared_data) if field.source == "bcdata"]
    found = labelled_tiles(fields[:12])
    return {f"{label}/{case}__{number}.png": encode_png(tile) for number, (label, case, tile) in enumerate(found)}


@pytest.fixture(scope="session")
def upload(tiles: dict[str, bytes]) -> bytes:
    """The same as a ZIP."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in tiles.items():
            archive.writestr(f"nuclear tiles/{name}", data)
    return packed.getvalue()


@pytest.fixture
def trainers_end(workbench: Workbench) -> Iterator[None]:
    """Trainings outlive their server; those of a test that failed shall not outlive the tests."""
    yield
    for status in workbench.data_dir.glob("runs/*/status.json"):
        (status.parent / "STOP").touch()


def open_training(page: Page, workbench: Workbench) -> None:
    """Sign in and go to the page."""
    sign_in(page, workbench)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.goto(f"{workbench.url}/training")
    expect(page.get_by_role("tab", name="New run")).to_be_visible()


def give_zip(page: Page, upload: bytes) -> None:
    """Upload the data set and wait for its report."""
    page.get_by_text("Upload a ZIP", exact=True).click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "nuclear tiles.zip", "mimeType": "application/zip", "buffer": upload}
    )
    expect(page.get_by_text("Images of each class")).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()


def curve_points(page: Page) -> int:
    """How many points the longest curve has."""
    return int(page.evaluate(POINTS))


def expect_state(page: Page, state: str, timeout_ms: int = TRAINING_MS) -> None:
    """Wait until the open run is in this state."""
    expect(page.locator(".st-key-run_head")).to_contain_text(state, timeout=timeout_ms)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("trainers_end")
@pytest.mark.parametrize("page", [1440], indirect=True, ids=["desktop"])
def test_trains_on_uploaded_tiles_and_uses_the_weights(
    page: Page, workbench: Workbench, upload: bytes, tiles: dict[str, bytes]
) -> None:
    open_training(page, workbench)
    give_zip(page, upload)
    expect(page.get_by_role("button", name="Chosen")).to_have_count(1)
    page.get_by_role("spinbutton", name="Epochs").first.fill(str(EPOCHS))
    page.get_by_role("spinbutton", name="Batch size").first.fill("8")
    page.get_by_role("spinbutton", name="Batch size").first.press("Enter")
    page.get_by_role("button", name="Start", exact=True).click()

    # The curve moves, and goes on after a reload in the middle of the run.
    expect_state(page, "running")
    page.wait_for_function(f"({POINTS})() >= 2", timeout=TRAINING_MS)
    points = curve_points(page)
    page.wait_for_function(f"({POINTS})() > {points}", timeout=TRAINING_MS)
    page.reload()
    expect_state(page, "running")
    page.wait_for_function(f"({POINTS})() > {points}", timeout=TRAINING_MS)

    # Stopped within seconds, resumed, finished.
    expect(page.get_by_text(re.compile("Best validation loss"))).to_be_visible(timeout=TRAINING_MS)
    page.get_by_role("button", name="Stop").click()
    expect_state(page, "stopped", 10_000)
    page.get_by_role("button", name="Resume").click()
    expect_state(page, "finished")
    expect(page.get_by_text("Confusion matrix")).to_be_visible()
    expect(page.get_by_text("Balanced accuracy")).to_be_visible()
    assert fits_the_width(page)

    # Its weights are used: their hash is in the provenance of the next analysis.
    before = weights_in_use(workbench)
    page.get_by_role("button", name="Use these weights").click()
    expect(page.get_by_text("uses these weights")).to_be_visible()
    run_id = page.url.rsplit("run=", 1)[1]
    file = workbench.data_dir / "runs" / run_id / "weights.safetensors"
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert sha256 != before and weights_in_use(workbench) == sha256
    assert provenance_names(page, workbench, next(iter(tiles.values())), sha256)

    # And back.
    page.goto(f"{workbench.url}/training?run={run_id}")
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("button", name="Use these weights")).to_be_visible()
    assert weights_in_use(workbench) == before


def weights_in_use(workbench: Workbench) -> str:
    """SHA-256 of the weights that score PR."""
    models = httpx.get(f"{workbench.url}/api/health", timeout=60).json()["models"]
    return str(models["simple_cnn"])


def provenance_names(page: Page, workbench: Workbench, tile: bytes, sha256: str) -> bool:
    """Analyse a tile for PR and look for the hash in how it was computed."""
    page.goto(workbench.url)
    expect(page.get_by_text("Drop an image above")).to_be_visible()
    page.get_by_text("PR", exact=True).first.click()
    page.locator("input[type=file]").first.set_input_files({"name": "t.png", "mimeType": "image/png", "buffer": tile})
    expect(page.get_by_test_id("stMetricValue")).to_be_visible(timeout=120_000)
    page.get_by_text("How it was computed").click()
    expect(page.get_by_text(sha256).first).to_be_visible()
    return True


def test_the_page_fits_a_phone_and_makes_an_example(page: Page, workbench: Workbench) -> None:
    open_training(page, workbench)
    assert fits_the_width(page)
    page.get_by_text("Simulated example", exact=True).click()
    page.get_by_role("button", name="Make it").nth(2).click()
    expect(page.get_by_text("16 pairs").first).to_be_visible(timeout=120_000)
    assert fits_the_width(page)
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_text("PatchNCE weight")).to_be_visible()
    assert fits_the_width(page)
    page.get_by_role("tab", name="Data sets").click()
    expect(page.get_by_text("Simulated H&E and IHC pairs").first).to_be_visible()
    assert fits_the_width(page)


def test_a_zip_of_nothing_gets_a_sentence(page: Page, workbench: Workbench) -> None:
    open_training(page, workbench)
    page.get_by_text("Upload a ZIP", exact=True).click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "odd.zip", "mimeType": "application/zip", "buffer": b"this is no archive"}
    )
    expect(page.get_by_role("alert").first).to_contain_text("ZIP")
    expect(page.get_by_text("Traceback")).to_have_count(0)
