"""Counting nuclei: on drawn discs, on simulated tissue, on real fields."""

import json
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.phantoms.phantom import nuclear_phantom
from core.phantoms.tissue import TissueConfig
from core.quantify.nuclei import count_nuclei, estimate_mpp
from core.types import RGBImage

WHITE = np.array([238.0, 238.0, 240.0])
BLUE, BROWN, BLACK_BROWN = (120, 130, 180), (205, 170, 135), (70, 40, 20)


def _discs(colours: list[tuple[int, int, int]], *, side: int = 400, radius: int = 16) -> RGBImage:
    image = np.full((side, side, 3), WHITE, np.float32)
    for number, colour in enumerate(colours):
        cv2.circle(image, (50 + 70 * (number % 5), 50 + 70 * (number // 5)), radius, colour, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), 1.5).astype(np.uint8)


def test_counts_brown_and_blue_discs_where_they_are() -> None:
    count = count_nuclei(_discs([BROWN, BLUE, BLUE, BLACK_BROWN]), WHITE, 0.25)
    assert (count.positive, count.negative) == (2, 2)
    found = sorted(map(tuple, np.round(count.centres).astype(int).tolist()))
    assert np.abs(np.array(found) - [(50, 50), (120, 50), (190, 50), (260, 50)]).max() <= 3


def test_darker_brown_is_stronger() -> None:
    count = count_nuclei(_discs([BROWN, BLACK_BROWN]), WHITE, 0.25)
    weaker, stronger = count.intensities[np.argsort(count.centres[:, 0])]
    assert weaker < stronger == 3
    assert count.allred.total == 5 + 2
    assert count.h_score == pytest.approx(200)


def test_a_nucleus_on_the_seam_of_two_blocks_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    image = _discs([BROWN, BLUE, BLUE, BLACK_BROWN])
    whole = count_nuclei(image, WHITE, 0.25)
    monkeypatch.setattr("core.quantify.nuclei._BLOCK_PX", 60)  # seams at 120 px, through the second disc
    parts = count_nuclei(image, WHITE, 0.25)
    assert (parts.positive, parts.negative) == (whole.positive, whole.negative) == (2, 2)


def test_an_empty_image_has_no_nuclei() -> None:
    count = count_nuclei(np.full((300, 300, 3), 240, np.uint8), None, 0.25)
    assert (count.total, count.percent_positive, count.allred.total, count.h_score) == (0, 0.0, 0, 0.0)
    assert not count.enough


@pytest.mark.parametrize("percent", [0.0, 20.0, 70.0])
def test_share_on_simulated_tissue_is_near_the_truth(percent: float) -> None:
    # Nothing but tumour: stroma would count as negative, and the truth knows tumour nuclei only.
    phantom = nuclear_phantom(
        4, percent_positive=percent, size_px=768, tissue=TissueConfig(tumour=0.98, lumen=0, fat=0)
    )
    count = count_nuclei(phantom.image, None, phantom.mpp)
    assert count.percent_positive == pytest.approx(phantom.truth.percent_positive, abs=9)


def test_the_pixel_size_is_guessed_from_the_nuclei(shared_data: Path) -> None:
    image = cv2.imread(str(shared_data / "ki67_points" / "bcdata" / "14.png"), cv2.IMREAD_COLOR_RGB)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert estimate_mpp(image, WHITE) == pytest.approx(0.25, rel=0.3)
    assert estimate_mpp(half, WHITE) == pytest.approx(0.5, rel=0.3)


@pytest.mark.parametrize("name", ["bcdata/14.png", "bcdata/4.png", "shidc/p1_0317_7.jpg"])
def test_the_index_of_real_fields_is_near_the_annotation(shared_data: Path, name: str) -> None:
    path = shared_data / "ki67_points" / name
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    points = json.loads(path.with_suffix(".json").read_text())
    truth = 100 * np.mean([point["label_id"] == 1 for point in points])
    assert count_nuclei(image).percent_positive == pytest.approx(truth, abs=12)


def test_is_fast(shared_data: Path) -> None:
    image = cv2.imread(str(shared_data / "mist" / "IHC" / "31M2101871_17_22.jpg"), cv2.IMREAD_COLOR_RGB)
    seconds = []
    for _ in range(3):
        started = time.process_time()
        count_nuclei(image)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.6  # 0.06 s alone; the room is for busy machines
