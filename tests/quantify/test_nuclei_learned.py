"""Nuclei from the maps of the learned detector: one each, wherever the tiles end."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.inference.engine import get_engine
from core.labels import OperatingPoint
from core.quantify.nuclei_learned import LIMITS, Limits, detect_maps, find_seeds, read_limits, seeds_of
from core.stains.separation import white_point
from core.stains.white import balance_white

LOW = Limits(positive=0.2, negative=0.2, distance=5)


def bump(height: float, x: int, y: int, shape: tuple[int, int] = (64, 64)) -> np.ndarray:
    """A map with one peak."""
    rows, columns = np.indices(shape)
    return (height * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 12.5)).astype(np.float32)


def maps(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    return np.stack([positive, negative, np.maximum(positive, negative)])


def brightness(tiles: np.ndarray) -> np.ndarray:
    """A detector that marks dark spots, each pixel by itself."""
    return np.repeat(1 - tiles[..., :1].transpose(0, 3, 1, 2).astype(np.float32) / 255, 3, axis=1)


def test_every_peak_above_its_limit_is_one_nucleus() -> None:
    seeds = seeds_of(maps(bump(0.9, 10, 20) + bump(0.2, 40, 40), bump(0.8, 50, 12)), LOW)
    assert seeds.centres.tolist() == [[50, 12], [10, 20]]
    assert seeds.positive.tolist() == [False, True]
    assert seeds.confidence.tolist() == pytest.approx([0.795, 0.818], abs=0.02)


@pytest.mark.parametrize(("stained", "unstained", "expected"), [(0.9, 0.5, True), (0.5, 0.9, False)])
def test_a_nucleus_is_never_both_stained_and_unstained(stained: float, unstained: float, expected: bool) -> None:
    seeds = seeds_of(maps(bump(stained, 30, 30), bump(unstained, 33, 32)), LOW)
    assert seeds.positive.tolist() == [expected]


def test_a_nucleus_that_may_be_either_is_not_missed() -> None:
    assert not len(seeds_of(maps(bump(0.25, 30, 30), bump(0.0, 30, 30)), LOW).centres)
    assert len(seeds_of(maps(bump(0.25, 30, 30), bump(0.2, 30, 30)), LOW).centres) == 1


def test_stained_and_unstained_neighbours_are_two() -> None:
    assert len(seeds_of(maps(bump(0.9, 20, 30), bump(0.9, 32, 30)), LOW).centres) == 2


def test_a_flat_peak_counts_once() -> None:
    flat = np.zeros((64, 64), np.float32)
    flat[30:33, 30:33] = 0.8
    assert len(seeds_of(maps(flat, np.zeros_like(flat)), LOW).centres) == 1


def test_empty_maps_hold_no_nucleus() -> None:
    seeds = seeds_of(np.zeros((3, 64, 64), np.float32), LOW)
    assert (seeds.centres.shape, seeds.positive.shape, seeds.confidence.shape) == ((0, 2), (0,), (0,))


@pytest.mark.parametrize("size", [(40, 30), (512, 512), (513, 700), (1500, 97)])
def test_tiles_are_put_together_without_gap(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    np.testing.assert_array_equal(detect_maps(image, brightness), brightness(image[None])[0])


def test_limits_come_from_the_manifest() -> None:
    found = read_limits({"limits": {"best_f1_positive": 0.7, "least_bias_distance": 9}})
    assert found[OperatingPoint.BEST_F1].positive == 0.7
    assert found[OperatingPoint.LEAST_BIAS].distance == 9
    assert found[OperatingPoint.LEAST_BIAS].negative == LIMITS[OperatingPoint.LEAST_BIAS].negative


def test_the_usual_limits_are_those_of_the_bundled_weights() -> None:
    assert read_limits(get_engine().extras("nuclei")) == LIMITS


@pytest.fixture(scope="module")
def field() -> tuple[np.ndarray, np.ndarray]:
    """A real Ki-67 field at 0.5 um/px and its annotated nuclei."""
    folder = Path("../shared/data/ki67_points/bcdata")
    if not folder.is_dir():
        pytest.skip("the shared real images are not here")
    image = cv2.imread(str(folder / "1.png"), cv2.IMREAD_COLOR_RGB)
    points = np.array([(p["x"], p["y"], p["label_id"]) for p in json.loads((folder / "1.json").read_text())])
    small = cv2.resize(balance_white(image, white_point(image)), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return small, points


def test_most_nuclei_of_a_real_field_are_found(field: tuple[np.ndarray, np.ndarray]) -> None:
    image, points = field
    seeds = find_seeds(image, get_engine().detect_nuclei)
    for stained, label in ((True, 1), (False, 2)):
        truth = points[points[:, 2] == label][:, :2]
        found = 2 * seeds.centres[seeds.positive == stained] + 0.5
        nearest = np.linalg.norm(truth[:, None] - found[None], axis=2).min(axis=1)
        assert np.mean(nearest <= 10) > 0.7


def test_the_same_nuclei_are_found_wherever_the_tiles_end(field: tuple[np.ndarray, np.ndarray]) -> None:
    image, _ = field
    wide = np.tile(image, (1, 3, 1))[:, :900]  # two tiles; its left part alone is one
    whole = find_seeds(wide, get_engine().detect_nuclei)
    part = find_seeds(wide[:, 160:672], get_engine().detect_nuclei)
    inner = whole.centres[(whole.centres[:, 0] > 224) & (whole.centres[:, 0] < 608)] - (160, 0)
    distance = np.linalg.norm(inner[:, None] - part.centres[None], axis=2).min(axis=1)
    assert np.mean(distance <= 2) > 0.97
