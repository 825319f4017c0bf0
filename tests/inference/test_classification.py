"""Tiles of one image to probabilities."""

from pathlib import Path

import numpy as np
import pytest
from filled_weights import noise, write_weights

from core.errors import CancelledError
from core.inference.classification import classify_tiles, prepare_tiles, softmax, temperature_of
from core.inference.engine import Engine
from core.slides.tiling import Box


def test_tiles_are_cut_and_averaged() -> None:
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, 8:] = [200, 100, 0]
    image[::2, :8] = 100
    tiles = prepare_tiles(image, [Box(0, 0, 8, 8), Box(8, 0, 8, 8)], 4)
    assert (tiles.shape, tiles.dtype) == ((2, 4, 4, 3), np.uint8)
    assert (tiles[0] == 50).all()
    assert (tiles[1] == [200, 100, 0]).all()


def test_a_tile_smaller_than_the_input_is_enlarged() -> None:
    assert prepare_tiles(np.full((3, 5, 3), 7, np.uint8), [Box(0, 0, 5, 3)], 4).tolist() == [[[[7] * 3] * 4] * 4]


def test_probabilities_sum_to_one_and_survive_large_logits() -> None:
    probs = softmax(np.array([[1e4, 0, 0], [1, 1, 1]], np.float32))
    np.testing.assert_allclose(probs, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-6)


@pytest.mark.parametrize(
    ("extras", "temperature"),
    [({}, 1.0), ({"calibration": {"temperature": 2}}, 2.0), ({"calibration": {"temperature": 0}}, 1.0)],
)
def test_the_temperature_comes_from_the_manifest(extras: dict[str, object], temperature: float) -> None:
    assert temperature_of(extras) == temperature


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with filled weights."""
    return write_weights(tmp_path_factory.mktemp("weights"), "simple_cnn")


def test_a_temperature_above_one_makes_probabilities_less_sure(weights: Path, tmp_path: Path) -> None:
    for path in weights.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "manifest.toml").open("a", encoding="utf-8") as manifest:
        manifest.write("[models.simple_cnn.calibration]\ntemperature = 5.0\n")
    tiles = noise(3, 128, 128, 3)
    plain = classify_tiles(Engine(weights), "simple_cnn", tiles).probs
    calibrated = classify_tiles(Engine(tmp_path), "simple_cnn", tiles).probs
    np.testing.assert_allclose(plain.sum(axis=1), 1, rtol=1e-5)
    assert (calibrated.max(axis=1) < plain.max(axis=1)).all()
    assert (calibrated.argmax(axis=1) == plain.argmax(axis=1)).all()


def test_features_come_with_the_probabilities(weights: Path) -> None:
    tiles = noise(20, 128, 128, 3)  # more than one chunk
    found = classify_tiles(Engine(weights), "simple_cnn", tiles)
    assert (found.probs.shape, found.features.shape) == ((20, 2), (20, 128))
    np.testing.assert_array_equal(found.features, Engine(weights).classify_with_features("simple_cnn", tiles)[1])


def test_no_tiles_have_neither(weights: Path) -> None:
    found = classify_tiles(Engine(weights), "simple_cnn", noise(0, 128, 128, 3))
    assert (found.probs.shape, len(found.features)) == ((0, 2), 0)


def test_progress_counts_tiles_and_can_cancel(weights: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    def cancel_at_the_second_report(step: str, done: int, total: int) -> None:
        seen.append((step, done, total))
        if done:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        classify_tiles(Engine(weights), "simple_cnn", noise(20, 128, 128, 3), cancel_at_the_second_report)
    assert seen == [("scoring tiles", 0, 20), ("scoring tiles", 16, 20)]
