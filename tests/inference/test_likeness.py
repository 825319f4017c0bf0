"""Whether an image looks like those its classifier was trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filled_weights import noise, write_weights

from core.config import ROOT
from core.errors import WeightsError
from core.inference.engine import Engine
from core.inference.likeness import likeness_of
from core.models.manifest import read_manifest
from core.models.sidecar import Sidecar, write_sidecar
from core.models.weights import save_safetensors
from core.quality.appearance import appearance
from core.quality.novelty_file import load_novelty, save_novelty
from core.quality.novelty_fit import fit_novelty

FILE = "simple_cnn.novelty.npz"


def pale(count: int, seed: int = 0) -> np.ndarray:
    """Tiles of light grey with a little noise: what the network of these tests "was trained on"."""
    return (noise(count, 128, 128, 3, seed=seed) // 16 + 200).astype(np.uint8)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A weights folder whose manifest names feature statistics of pale tiles."""
    write_weights(tmp_path, "simple_cnn")
    with (tmp_path / "manifest.toml").open("a", encoding="utf-8") as manifest:
        manifest.write(f'novelty = "{FILE}"\n')
    engine = Engine(tmp_path)
    tiles = pale(40)
    features = engine.classify_with_features("simple_cnn", tiles)[1]
    fitted = fit_novelty(features, appearance(tiles), np.arange(40).astype(str))
    sha256 = engine.state("simple_cnn").sha256 or ""
    save_novelty(replace(fitted, threshold=12.0, cases=40, sha256=sha256), tmp_path / FILE)
    return tmp_path


def look(engine: Engine, tiles: np.ndarray) -> object:
    return likeness_of(engine, "simple_cnn", tiles, engine.classify_with_features("simple_cnn", tiles)[1])


def test_tiles_like_those_of_training_are_at_home(weights: Path) -> None:
    found = look(Engine(weights), pale(4, seed=1))
    assert (found.foreign, found.threshold, found.quantile, found.problem) == (False, 12.0, 0.95, "")


def test_noise_is_foreign(weights: Path) -> None:
    assert look(Engine(weights), noise(4, 128, 128, 3)).foreign


def test_no_tiles_are_like_nothing(weights: Path) -> None:
    assert likeness_of(Engine(weights), "simple_cnn", pale(0), np.zeros((0, 0), np.float32)) is None


def test_weights_without_statistics_tell_nothing(tmp_path: Path) -> None:
    write_weights(tmp_path, "simple_cnn")
    assert look(Engine(tmp_path), pale(1)) is None


def test_a_missing_file_is_told_and_the_score_stays(weights: Path) -> None:
    (weights / FILE).unlink()
    found = look(Engine(weights), pale(1))
    assert not found.foreign and f"{FILE} is missing" in found.problem


def test_statistics_of_other_weights_are_refused(weights: Path) -> None:
    engine = Engine(weights)
    assert engine.novelty("simple_cnn") is not None
    save_novelty(replace(engine.novelty("simple_cnn"), sha256="0" * 64), weights / FILE)
    with pytest.raises(WeightsError, match="made for other weights"):
        engine.novelty("simple_cnn")


def test_a_run_brings_its_own(weights: Path, tmp_path: Path) -> None:
    plain = Engine(weights)
    state = plain.model("simple_cnn").module.state_dict()
    chosen = tmp_path / "run" / "weights.safetensors"
    sha256 = save_safetensors(state, chosen, half=False)
    sidecar = Sidecar(model="simple_cnn", labels=("PR-", "PR+"), sha256=sha256, novelty="weights.novelty.npz")
    write_sidecar(chosen, sidecar)
    save_novelty(
        replace(plain.novelty("simple_cnn"), threshold=0.0, sha256=sha256), chosen.with_name("weights.novelty.npz")
    )
    assert look(Engine(weights, overrides={"simple_cnn": chosen}), pale(1)).foreign


@pytest.mark.parametrize("name", ["ihcnet", "simple_cnn"])
def test_the_bundled_statistics_belong_to_the_bundled_weights(name: str) -> None:
    entry = read_manifest(ROOT / "weights")[name]
    found = load_novelty(ROOT / "weights" / str(entry.extras["novelty"]))
    assert found.sha256 == entry.sha256, "run python -m core.training.bundled.fit_novelty"
    assert found.cases >= 25
