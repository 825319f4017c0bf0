"""A classifier's opinion on images to be filtered: tiles in batches, fields by their tiles."""

from pathlib import Path

import numpy as np
import pytest
from filled_weights import filled_model, noise, write_weights

from core.errors import CancelledError, WeightsError
from core.images import decode
from core.inference.classification import classify_tiles
from core.inference.engine import Engine
from core.inference.filtering import classify_images, measure_synthetic, with_weights
from core.labels import Marker
from core.models.sidecar import Sidecar, write_sidecar
from core.models.weights import save_safetensors
from core.phantoms.samples import load_sample


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine with filled weights of the PR classifier."""
    return Engine(write_weights(tmp_path_factory.mktemp("weights"), "simple_cnn"))


def test_tiles_are_read_as_they_are(engine: Engine) -> None:
    tiles = noise(70, 128, 128, 3)
    probs = classify_images(engine, "simple_cnn", tiles)
    np.testing.assert_allclose(probs, classify_tiles(engine, "simple_cnn", tiles).probs, atol=1e-5)


def test_fields_are_read_by_their_tissue(engine: Engine) -> None:
    field = decode(*load_sample("pr-positive"), max_bytes=10**8, max_pixels=10**8).image
    glass = np.full((300, 300, 3), 244, np.uint8)
    steps: list[tuple[int, int]] = []
    probs = classify_images(
        engine, "simple_cnn", [field, glass, noise(128, 128, 3)], progress=lambda _s, k, n: steps.append((k, n))
    )
    assert probs[0].sum() == pytest.approx(1) and np.isnan(probs[1]).all() and probs[2].sum() == pytest.approx(1)
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_it_can_be_cancelled(engine: Engine) -> None:
    def cancel(_step: str, done: int, _total: int) -> None:
        if done:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        classify_images(engine, "simple_cnn", noise(70, 128, 128, 3), progress=cancel)


def test_a_second_model_is_asked_with_weights_of_its_own(engine: Engine, tmp_path: Path) -> None:
    other = {key: value * 0 for key, value in filled_model("simple_cnn").module.state_dict().items()}
    save_safetensors(other, tmp_path / "other.safetensors")
    second = with_weights("simple_cnn", tmp_path / "other.safetensors")
    measured = measure_synthetic(engine, noise(2, 128, 128, 3), ["PR+", ""], Marker.PR, second=second)
    assert [each.second.confidence for each in measured if each.second] == pytest.approx([0.5, 0.5])
    assert all(each.opinion is not None and each.opinion.confidence > 0.5 for each in measured)
    assert [each.label for each in measured] == ["PR+", ""] and measured[0].distance is None


def test_a_second_model_of_other_classes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    sha256 = save_safetensors(filled_model("simple_cnn").module.state_dict(), path)
    write_sidecar(path, Sidecar(model="simple_cnn", labels=("a", "b"), sha256=sha256))
    with pytest.raises(WeightsError):
        with_weights("simple_cnn", path)
