"""The engine: every backend gives the same answer, bad weights stop nothing, threads share."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from filled_weights import filled_model, noise, write_weights

from core.devices import Backend, has_bf16, has_cuda
from core.errors import InvalidOptionError, ModelUnavailableError, NotFoundError
from core.inference.engine import Engine
from core.models.registry import CARDS
from core.models.transforms import Normalised, to_pixels
from core.models.weights import save_safetensors

TOLERANCE = {
    Backend.TORCH_CPU: 1e-4,
    Backend.OPENVINO_F32: 1e-3,
    Backend.OPENVINO_BF16: 3e-2,
    Backend.TORCH_CUDA: 3e-2,
}
"""Largest difference from plain float32 torch, as a share of the largest logit."""

MAP_TOLERANCE = {
    Backend.TORCH_CPU: 1e-4,
    Backend.OPENVINO_F32: 1e-3,
    Backend.OPENVINO_BF16: 3e-2,
    Backend.TORCH_CUDA: 3e-2,
}
"""Largest difference of a probability from plain float32 torch."""

STAIN_TOLERANCE = {
    Backend.TORCH_CPU: 1.0,
    Backend.OPENVINO_F32: 1.0,
    Backend.OPENVINO_BF16: 3.0,
    Backend.TORCH_CUDA: 3.0,
}
"""Mean difference from plain float32 torch in gray levels."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with filled weights."""
    return write_weights(tmp_path_factory.mktemp("weights"), "ihcnet", "simple_cnn", "pspstain", "nuclei")


@pytest.fixture(scope="module")
def engine(weights: Path) -> Engine:
    """The engine as it comes on this computer."""
    return Engine(weights, cache_dir=weights / "cache")


def plain(name: str, images: np.ndarray) -> np.ndarray:
    """What plain torch answers in float32."""
    model = filled_model(name)
    with torch.no_grad():
        return Normalised(model.card, model.module)(torch.from_numpy(images)).numpy()


def needs(backend: Backend) -> None:
    if backend is Backend.TORCH_CUDA and not has_cuda():
        pytest.skip("there is no CUDA device")
    if backend is Backend.OPENVINO_BF16 and not has_bf16():
        pytest.skip("this processor has no bfloat16 arithmetic")


@pytest.mark.parametrize("backend", Backend)
@pytest.mark.parametrize("name", ["ihcnet", "simple_cnn"])
def test_every_backend_gives_the_logits_of_plain_torch(weights: Path, backend: Backend, name: str) -> None:
    needs(backend)
    side = CARDS[name].input_px
    tiles = noise(5, side, side, 3)  # one batch of four and one of one
    expected = plain(name, tiles)
    engine = Engine(weights, backend=backend.value, cache_dir=weights / "cache")
    found = engine.classify(name, tiles)
    assert (found.shape, found.dtype, engine.backend) == (expected.shape, np.float32, backend.value)
    assert np.abs(found - expected).max() <= TOLERANCE[backend] * np.abs(expected).max()


@pytest.mark.parametrize("backend", Backend)
@pytest.mark.parametrize("name", ["ihcnet", "simple_cnn"])
def test_every_backend_gives_the_features_of_plain_torch(weights: Path, backend: Backend, name: str) -> None:
    needs(backend)
    side = CARDS[name].input_px
    tiles = noise(5, side, side, 3)
    model = filled_model(name)
    with torch.no_grad():
        expected = model.module.embed(Normalised(model.card, model.module).normalise(torch.from_numpy(tiles))).numpy()
    engine = Engine(weights, backend=backend.value, cache_dir=weights / "cache")
    logits, features = engine.classify_with_features(name, tiles)
    np.testing.assert_array_equal(logits, engine.classify(name, tiles))
    assert (features.shape, features.dtype) == (expected.shape, np.float32)
    assert np.abs(features - expected).max() <= TOLERANCE[backend] * np.abs(expected).max()


@pytest.mark.parametrize("backend", Backend)
def test_every_backend_stains_as_plain_torch(weights: Path, backend: Backend) -> None:
    needs(backend)
    image = np.kron(noise(1, 16, 16, 3), np.ones((1, 16, 16, 1), np.uint8))
    expected = to_pixels(plain("pspstain", image)).astype(int)
    found = Engine(weights, backend=backend.value, cache_dir=weights / "cache").stain(image)
    assert (found.shape, found.dtype) == ((1, 256, 256, 3), np.uint8)
    assert np.abs(found - expected).mean() <= STAIN_TOLERANCE[backend]


@pytest.mark.parametrize("backend", Backend)
def test_every_backend_marks_nuclei_as_plain_torch(weights: Path, backend: Backend) -> None:
    needs(backend)
    tiles = np.kron(noise(2, 32, 32, 3), np.ones((1, 16, 16, 1), np.uint8))
    expected = plain("nuclei", tiles)
    found = Engine(weights, backend=backend.value, cache_dir=weights / "cache").detect_nuclei(tiles)
    assert (found.shape, found.dtype) == ((2, 3, 512, 512), np.float32)
    assert np.abs(found - expected).max() <= MAP_TOLERANCE[backend]


def test_an_answer_does_not_depend_on_the_other_tiles(engine: Engine) -> None:
    tiles = noise(7, 128, 128, 3)
    one_by_one = np.concatenate([engine.classify("simple_cnn", tiles[index : index + 1]) for index in range(7)])
    assert np.abs(engine.classify("simple_cnn", tiles) - one_by_one).max() <= 0.02 * np.abs(one_by_one).max()


def test_threads_get_their_own_answers(engine: Engine) -> None:
    tiles = noise(24, 128, 128, 3)
    expected = engine.classify("simple_cnn", tiles)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda index: engine.classify("simple_cnn", tiles[index : index + 1])[0], range(24)))
    assert np.abs(np.stack(found) - expected).max() <= 0.02 * np.abs(expected).max()


def test_a_model_is_loaded_once(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: engine.model("simple_cnn"), range(4)))
    assert all(model is models[0] for model in models)
    assert models[0].sha256 == engine.available()["simple_cnn"].sha256


def test_no_tiles_give_no_answers(engine: Engine) -> None:
    assert engine.classify("ihcnet", np.zeros((0, 224, 224, 3), np.uint8)).shape == (0, 4)
    assert engine.stain(np.zeros((0, 256, 256, 3), np.uint8)).shape == (0, 256, 256, 3)
    assert engine.detect_nuclei(np.zeros((0, 512, 512, 3), np.uint8)).shape == (0, 3, 512, 512)


@pytest.mark.parametrize("shape", [(1, 100, 100, 3), (224, 224, 3), (1, 3, 224, 224)])
def test_tiles_of_another_size_are_refused(engine: Engine, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidOptionError, match="takes"):
        engine.classify("ihcnet", np.zeros(shape, np.uint8))


def test_a_generator_does_not_classify(engine: Engine) -> None:
    with pytest.raises(InvalidOptionError, match="is for virtual staining, not for classification"):
        engine.classify("pspstain", np.zeros((1, 256, 256, 3), np.uint8))


def test_an_unknown_model_is_named(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="resnet"):
        engine.classify("resnet", np.zeros((1, 224, 224, 3), np.uint8))


def test_a_second_start_needs_no_conversion(weights: Path, engine: Engine) -> None:
    tiles = noise(1, 128, 128, 3)
    expected = engine.classify("simple_cnn", tiles)
    again = Engine(weights, cache_dir=weights / "cache")
    np.testing.assert_allclose(again.classify("simple_cnn", tiles), expected, rtol=1e-3)
    if engine.backend.startswith("openvino"):
        assert not again._models, "the network itself was read although its converted copy is kept"


def test_a_damaged_cache_is_made_again(weights: Path, engine: Engine, tmp_path: Path) -> None:
    tiles = noise(1, 128, 128, 3)
    Engine(weights, cache_dir=tmp_path).classify("simple_cnn", tiles)
    for path in tmp_path.glob("*.xml"):
        path.write_text("nonsense", encoding="utf-8")
    found = Engine(weights, cache_dir=tmp_path).classify("simple_cnn", tiles)
    np.testing.assert_allclose(found, engine.classify("simple_cnn", tiles), rtol=1e-3)


def test_without_weights_every_model_says_why(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    states = engine.available()
    assert set(states) == set(CARDS)
    assert all(state.sha256 is None and "no bundled weights" in (state.error or "") for state in states.values())
    with pytest.raises(ModelUnavailableError, match=r"IHCNet \(HER2 score\) is unavailable"):
        engine.classify("ihcnet", np.zeros((1, 224, 224, 3), np.uint8))


def test_corrupt_weights_leave_the_other_models_alone(weights: Path, tmp_path: Path) -> None:
    for path in weights.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "simple_cnn.safetensors").write_bytes(b"garbage")
    engine = Engine(tmp_path)
    engine.warm_up(["simple_cnn"])
    states = engine.available()
    assert states["ihcnet"].error is None
    assert "not the file the manifest lists" in (states["simple_cnn"].error or "")
    with pytest.raises(ModelUnavailableError, match="SimpleCNN"):
        engine.model("simple_cnn")


def test_a_broken_manifest_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text("[models", encoding="utf-8")
    assert "cannot be read" in (Engine(tmp_path).available()["ihcnet"].error or "")


def test_other_weights_can_be_chosen_and_given_up(weights: Path, engine: Engine, tmp_path: Path) -> None:
    tiles = noise(2, 128, 128, 3)
    bundled = engine.classify("simple_cnn", tiles)
    state = filled_model("simple_cnn").module.state_dict() | {"fc2.bias": torch.tensor([50.0, 0.0])}
    save_safetensors(state, tmp_path / "other.safetensors", half=False)

    chosen = Engine(weights, overrides={"simple_cnn": tmp_path / "other.safetensors"})
    assert chosen.available()["simple_cnn"].overridden
    assert chosen.classify("simple_cnn", tiles)[:, 0].min() > 20
    assert chosen.extras("simple_cnn") == {}
    chosen.set_override("simple_cnn", None)
    np.testing.assert_allclose(chosen.classify("simple_cnn", tiles), bundled, rtol=1e-2, atol=1e-2)


def test_weights_replaced_on_disk_are_read_again(tmp_path: Path) -> None:
    write_weights(tmp_path, "simple_cnn")
    engine = Engine(tmp_path, overrides={"simple_cnn": tmp_path / "simple_cnn.safetensors"})
    before = engine.available()["simple_cnn"].sha256
    state = filled_model("simple_cnn").module.state_dict() | {"fc2.bias": torch.zeros(2)}
    after = save_safetensors(state, tmp_path / "simple_cnn.safetensors")
    assert engine.available()["simple_cnn"].sha256 == after != before


@pytest.mark.parametrize(("device", "backend"), [("tpu", "auto"), ("auto", "jax")])
def test_an_unknown_device_or_backend_is_refused(tmp_path: Path, device: str, backend: str) -> None:
    with pytest.raises(InvalidOptionError, match="may be"):
        _ = Engine(tmp_path, device=device, backend=backend).backend
