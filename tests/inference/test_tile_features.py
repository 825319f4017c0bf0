"""What the PR classifier sees in tiles, and the index of a generator's training tiles."""

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from core.config import ROOT
from core.errors import InvalidOptionError, ModelUnavailableError, WeightsError
from core.inference.engine import Engine
from core.inference.tile_features import ACTIVATIONS, WIDTH, tile_features
from core.inference.training_index import require_index, training_index
from core.models.simple_cnn import SimpleCNN
from core.models.weights import save_safetensors
from core.quality.neighbours import nearest

GENERATOR = "medsyngan_g"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(ROOT / "weights", backend="torch")


def some_tiles(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 128, 128, 3), dtype=np.uint8)


def test_features_are_activations_then_mean_and_deviation_of_the_maps(engine: Engine) -> None:
    tiles, network = some_tiles(19), engine.model("simple_cnn").module
    assert isinstance(network, SimpleCNN)
    found = tile_features(engine, tiles)
    batch = torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        maps = network.pool(network.relu(network.conv2(network.pool(network.relu(network.conv1(batch))))))
        plain = torch.cat([network.embed(batch), maps.mean((2, 3)), maps.std((2, 3))], dim=1).numpy()
    assert (found.shape, found.dtype) == ((19, WIDTH), np.float32)
    np.testing.assert_allclose(found, plain, atol=1e-4)
    _, served = engine.classify_with_features("simple_cnn", tiles)
    np.testing.assert_allclose(found[:, :ACTIVATIONS], served, atol=1e-3)


def test_a_tile_has_the_same_features_in_any_company(engine: Engine) -> None:
    tiles = some_tiles(20)
    np.testing.assert_allclose(tile_features(engine, tiles)[17], tile_features(engine, tiles[17:18])[0], atol=1e-5)


def test_no_tiles_have_no_features(engine: Engine) -> None:
    assert tile_features(engine, some_tiles(0)).shape == (0, WIDTH)


def test_tiles_of_another_size_are_refused(engine: Engine) -> None:
    with pytest.raises(InvalidOptionError, match="128"):
        tile_features(engine, np.zeros((1, 64, 64, 3), np.uint8))


def test_without_a_classifier_there_are_no_features(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError):
        tile_features(Engine(tmp_path), some_tiles(1))


def test_the_bundled_generator_brings_its_index(engine: Engine) -> None:
    index = require_index(engine, GENERATOR)
    assert (len(index.names), len(index.held_out), index.classes) == (5536, 1699, ("PR-", "PR+"))
    assert (ROOT / "weights" / "medsyngan_g.index.npz").stat().st_size < 2_000_000
    assert len(np.unique(index.held_out_cases)) == 7
    found = nearest(index, tile_features(engine, some_tiles(2)))
    assert not any(each.memorised for each in found) and found[0].ratio > 3  # noise is like no tile


def test_weights_without_an_index_say_so(engine: Engine) -> None:
    assert training_index(engine, "medsyngan_her2_g") is None
    with pytest.raises(WeightsError, match="no index"):
        require_index(engine, "medsyngan_her2_g")


@pytest.fixture
def own_weights(tmp_path: Path) -> Path:
    """A copy of what is bundled for synthesis, to be damaged."""
    for name in ("manifest.toml", "medsyngan_g.safetensors", "medsyngan_g.index.npz", "simple_cnn.safetensors"):
        shutil.copyfile(ROOT / "weights" / name, tmp_path / name)
    return tmp_path


def test_an_index_made_for_other_weights_is_refused(own_weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = own_weights / "other.safetensors"
    save_safetensors(SimpleCNN().state_dict(), other)
    engine = Engine(own_weights, overrides={"simple_cnn": other})
    with pytest.raises(WeightsError, match="other weights of SimpleCNN"):
        require_index(engine, GENERATOR)
    with caplog.at_level(logging.WARNING):
        assert training_index(engine, GENERATOR) is None
    assert "other weights" in caplog.text
    engine.set_override("simple_cnn", None)
    assert training_index(engine, GENERATOR) is not None


def test_a_damaged_index_leaves_the_generator_usable(own_weights: Path) -> None:
    (own_weights / "medsyngan_g.index.npz").write_bytes(b"cut")
    engine = Engine(own_weights)
    assert training_index(engine, GENERATOR) is None
    assert engine.state(GENERATOR).error is None
