"""Weights files: the good, the wrong, the damaged and the dangerous."""

import hashlib
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from core.errors import WeightsError
from core.models.medsyngan import Discriminator
from core.models.registry import CARDS
from core.models.weights import check_weights, load_weights, read_state_dict, save_safetensors

CARD = CARDS["medsyngan_d"]  # the smallest


class Payload:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (Path.touch, (self.path,))


@pytest.fixture
def state() -> dict[str, Tensor]:
    """The state dict of a discriminator with random weights."""
    return Discriminator().state_dict()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model_state": state, "epoch": 17},
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {"model_state": {f"module.{key}": value for key, value in state.items()}},
    ],
    ids=["plain", "model_state", "module.", "both"],
)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_published_forms_load_strictly(
    state: dict[str, Tensor], tmp_path: Path, wrap: Callable[[object], object], legacy: bool
) -> None:
    path = tmp_path / "best (3).pth"
    torch.save(wrap(state), path, _use_new_zipfile_serialization=not legacy)
    loaded = load_weights(CARD, path)
    assert all(torch.equal(value, state[key]) for key, value in loaded.module.state_dict().items())
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_loaded_network_is_frozen_and_in_evaluation_mode(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_safetensors(state, tmp_path / "d.safetensors")
    module = load_weights(CARD, tmp_path / "d.safetensors").module
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_half_precision_is_read_as_float32(state: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    sha256 = save_safetensors(state, path)
    key = "features.0.weight"
    assert safetensors.torch.load_file(path)[key].dtype == torch.float16
    torch.testing.assert_close(read_state_dict(path)[key], state[key], atol=1e-3, rtol=1e-3)
    assert sha256 == check_weights(CARD, path)


def test_full_precision_is_kept_where_asked(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_safetensors(state, tmp_path / "d.safetensors", half=False)
    assert torch.equal(read_state_dict(tmp_path / "d.safetensors")["features.0.weight"], state["features.0.weight"])


def test_values_that_half_precision_cannot_hold_stay_whole(tmp_path: Path) -> None:
    save_safetensors({"large": torch.full((2, 2), 1e6)}, tmp_path / "large.safetensors")
    assert read_state_dict(tmp_path / "large.safetensors")["large"].tolist() == [[1e6, 1e6], [1e6, 1e6]]


def test_shards_are_read_as_one(state: dict[str, Tensor], tmp_path: Path) -> None:
    keys = list(state)
    parts = [tmp_path / "1.safetensors", tmp_path / "2.safetensors"]
    save_safetensors({key: state[key] for key in keys[:3]}, parts[0])
    save_safetensors({key: state[key] for key in keys[3:]}, parts[1])
    joined = hashlib.sha256(parts[0].read_bytes() + parts[1].read_bytes()).hexdigest()
    assert load_weights(CARD, parts).sha256 == joined


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    for name, protocol in (("old.pt", 2), ("new.pt", 4)):
        (tmp_path / name).write_bytes(pickle.dumps({"weight": Payload(trace)}, protocol=protocol))
    torch.save({"model_state": {"weight": Payload(trace)}}, tmp_path / "zip.pth")
    for name in ("old.pt", "new.pt", "zip.pth"):
        with pytest.raises(WeightsError, match="refused|damaged"):
            check_weights(CARD, tmp_path / name)
    with pytest.raises(WeightsError, match="would run code when read. Nothing was run"):
        check_weights(CARD, tmp_path / "zip.pth")
    assert not trace.exists()


def test_weights_of_another_network_name_both(tmp_path: Path) -> None:
    path = tmp_path / "ihcnet.safetensors"
    save_safetensors(CARDS["simple_cnn"].build().state_dict(), path)
    with pytest.raises(WeightsError) as caught:
        check_weights(CARDS["ihcnet"], path)
    assert "ihcnet.safetensors was not made for IHCNet" in str(caught.value)
    assert "missing backbone.conv0.weight, backbone.norm0.weight" in str(caught.value)
    assert "unexpected conv1.bias" in str(caught.value)


def test_another_shape_is_named(state: dict[str, Tensor], tmp_path: Path) -> None:
    state["label_embedding.weight"] = torch.zeros(4, 128 * 128)
    torch.save(state, tmp_path / "d.pth")
    with pytest.raises(WeightsError, match=r"label_embedding.weight has shape \(4, 16384\) instead of \(2, 16384\)"):
        load_weights(CARD, tmp_path / "d.pth")


def test_weights_that_are_not_numbers_are_refused(state: dict[str, Tensor], tmp_path: Path) -> None:
    state["classifier.bias"] = torch.tensor([float("nan")])
    torch.save(state, tmp_path / "d.pth")
    with pytest.raises(WeightsError, match="not finite in 'classifier.bias'"):
        check_weights(CARD, tmp_path / "d.pth")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"hello, these are no weights", b"PK\x03\x04 broken", b"\xff" * 4096]
)
def test_a_damaged_file_is_an_error_in_words(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="weights"):
        check_weights(CARD, path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_truncated_file_is_an_error_in_words(state: dict[str, Tensor], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    save_safetensors(state, path) if suffix == ".safetensors" else torch.save(state, path)
    whole = path.read_bytes()
    for length in (10, 1000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError):
            check_weights(CARD, path)


@pytest.mark.parametrize("content", [[1, 2], {"weight": 3}, {}, torch.zeros(3), {"model_state": {"a": "b"}}])
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match="state dict"):
        read_state_dict(tmp_path / "weights.pth")


def test_a_zip_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "weights.pth", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(WeightsError, match="damaged or not a PyTorch weights file"):
        read_state_dict(tmp_path / "weights.pth")


@pytest.mark.parametrize("name", ["absent.pth", "a\0b.pth", "x" * 300 + ".pth", ""])
def test_a_missing_or_impossible_path_is_an_error_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsError):
        check_weights(CARD, tmp_path / name)


def test_another_hash_than_the_manifests_is_refused(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_safetensors(state, tmp_path / "d.safetensors")
    with pytest.raises(WeightsError, match="not the file the manifest lists"):
        check_weights(CARD, tmp_path / "d.safetensors", sha256="0" * 64)
