"""Sampling: the same seed, the same image, whatever it is sampled with and on whatever backend."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from filled_weights import write_weights

from core.errors import CancelledError, InvalidOptionError, ModelUnavailableError
from core.inference.engine import Engine
from core.inference.sampling import TOLERANCE_BF16, TOLERANCE_F32
from core.inference.synthesis import (
    SampleSpec,
    all_classes,
    check_wish,
    interpolate_classes,
    interpolate_seeds,
    iter_samples,
    noise_of,
    parse_seed,
    sample_images,
    specs_of,
    spherical,
)
from core.models.medsyngan import Generator
from core.models.registry import CARDS
from core.models.transforms import to_pixels
from core.models.weights import save_safetensors

BACKENDS = ("openvino-bf16", "openvino-f32", "torch-cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Filled weights of both generators and of one classifier."""
    folder = tmp_path_factory.mktemp("weights")
    return write_weights(folder, "medsyngan_g", "medsyngan_her2_g", "simple_cnn")


@pytest.fixture(scope="module")
def engine(weights: Path) -> Engine:
    """The backend of this machine."""
    return Engine(weights)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_image_does_not_depend_on_the_batch_it_is_made_in(weights: Path, backend: str) -> None:
    engine = Engine(weights, backend=backend)
    specs = specs_of("PR+", 77, seed=5)  # 64, 8, and five times 1
    together = sample_images(engine, "medsyngan_g", specs)

    assert together.shape == (77, 128, 128, 3) and together.dtype == np.uint8
    for place in (0, 63, 66, 76):
        np.testing.assert_array_equal(
            sample_images(engine, "medsyngan_g", specs[place : place + 1])[0], together[place]
        )
    np.testing.assert_array_equal(sample_images(engine, "medsyngan_g", specs[::-1])[::-1], together)


def test_backends_differ_by_their_tolerance_at_most(weights: Path) -> None:
    specs = (*specs_of("PR+", 4, seed=1), *specs_of("PR-", 4, seed=1, truncation=0.7))
    found = {name: sample_images(Engine(weights, backend=name), "medsyngan_g", specs).astype(int) for name in BACKENDS}

    assert np.abs(found["openvino-f32"] - found["torch-cpu"]).max() <= TOLERANCE_F32
    assert np.abs(found["openvino-bf16"] - found["torch-cpu"]).max() <= TOLERANCE_BF16


@pytest.mark.gpu
def test_cuda_differs_by_their_tolerance_at_most(weights: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    specs = specs_of("PR+", 70, seed=1)
    cuda = Engine(weights, backend="torch-cuda")
    found = sample_images(cuda, "medsyngan_g", specs)

    np.testing.assert_array_equal(sample_images(cuda, "medsyngan_g", specs[69:])[0], found[69])
    plain = sample_images(Engine(weights, backend="torch-cpu"), "medsyngan_g", specs)
    assert np.abs(found.astype(int) - plain.astype(int)).max() <= TOLERANCE_F32


def test_paints_what_the_network_paints(weights: Path) -> None:
    engine = Engine(weights, backend="torch-cpu")
    specs = [SampleSpec("PR-", 3), SampleSpec("PR+", 3)]
    module = engine.model("medsyngan_g").module
    with torch.no_grad():
        plain = module(torch.from_numpy(noise_of(specs)), torch.tensor([0, 1])).numpy()

    difference = sample_images(engine, "medsyngan_g", specs).astype(int) - to_pixels(plain).astype(int)
    assert np.abs(difference).max() <= 1


def test_threads_share_a_generator(engine: Engine) -> None:
    specs = [specs_of("PR+", 5, seed=seed) for seed in range(6)]
    alone = [sample_images(engine, "medsyngan_g", some) for some in specs]
    found: dict[int, np.ndarray] = {}

    def work(number: int) -> None:
        found[number] = sample_images(engine, "medsyngan_g", specs[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, images in enumerate(alone):
        np.testing.assert_array_equal(found[number], images)


def test_the_noise_of_a_seed_never_changes() -> None:
    noise = noise_of([SampleSpec("PR+", 0), SampleSpec("PR+", 2**32 - 1, 0.5), SampleSpec("PR-", 0, 0.5)])

    assert noise.shape == (3, 100) and noise.dtype == np.float32
    np.testing.assert_allclose(noise[0, :3], [1.7640524, 0.4001572, 0.978738], rtol=1e-6)
    np.testing.assert_array_equal(noise[2], noise[0] / 2)


def test_goes_through_many_images_a_batch_at_a_time(engine: Engine) -> None:
    steps: list[tuple[int, int]] = []
    specs = specs_of("3+", 20, seed=2**32 - 5)
    parts = list(
        iter_samples(
            engine, "medsyngan_her2_g", specs, batch=8, progress=lambda _s, done, all_: steps.append((done, all_))
        )
    )

    assert [len(images) for _, images in parts] == [8, 8, 4]
    assert steps == [(0, 20), (8, 20), (16, 20), (20, 20)]
    assert [spec.seed for spec in specs][4:6] == [2**32 - 1, 0]
    np.testing.assert_array_equal(parts[2][1], sample_images(engine, "medsyngan_her2_g", specs[16:]))


def test_ends_when_it_is_cancelled(engine: Engine) -> None:
    def cancel(_step: str, done: int, _total: int) -> None:
        if done >= 8:
            raise CancelledError("Cancelled.")

    made = []
    with pytest.raises(CancelledError):
        for specs, _ in iter_samples(engine, "medsyngan_g", specs_of("PR+", 10_000, seed=0), batch=8, progress=cancel):
            made += specs
    assert len(made) == 8


def test_interpolation_starts_and_ends_at_its_images(engine: Engine) -> None:
    first, last = SampleSpec("PR-", 1), SampleSpec("PR-", 2)
    ends = sample_images(engine, "medsyngan_g", [first, last])
    way = interpolate_seeds(engine, "medsyngan_g", first, last, steps=5)
    classes = interpolate_classes(engine, "medsyngan_g", first, "PR+", steps=5)
    both = all_classes(engine, "medsyngan_g", 1)

    np.testing.assert_array_equal(way[[0, 4]], ends)
    assert [spec.label for spec in both[0]] == ["PR-", "PR+"]
    np.testing.assert_array_equal(classes[[0, 4]], both[1])
    assert all((way[2] != image).any() and (classes[2] != image).any() for image in ends)


def test_noise_keeps_its_length_on_the_way() -> None:
    start, end = np.array([3.0, 0.0]), np.array([0.0, 1.0])

    np.testing.assert_allclose(np.linalg.norm(spherical(start, end, 0.5)), 2)
    np.testing.assert_allclose(spherical(start, start, 0.3), start)


@pytest.mark.parametrize(
    ("count", "seed", "truncation", "label", "words"),
    [
        (0, 1, 1.0, "PR+", "count is 0"),
        (-3, 1, 1.0, "PR+", "count is -3"),
        (1_000_000, 1, 1.0, "PR+", "10,000"),
        (True, 1, 1.0, "PR+", "count is True"),
        (4, "seven", 1.0, "PR+", "seed is 'seven'"),
        (4, -1, 1.0, "PR+", "seed is -1"),
        (4, 2**32, 1.0, "PR+", "4,294,967,295"),
        (4, 1, 0.0, "PR+", "truncation is 0"),
        (4, 1, float("nan"), "PR+", "truncation is nan"),
        (4, 1, 1.0, "3+", "PR-, PR+"),
    ],
)
def test_says_what_is_wrong_with_a_wish(count: object, seed: object, truncation: float, label: str, words: str) -> None:
    with pytest.raises(InvalidOptionError, match=words.replace("+", r"\+")):
        check_wish(count, seed, truncation, label, ("PR-", "PR+"))


def test_a_good_wish_passes() -> None:
    check_wish(10_000, 2**32 - 1, 0.5, "PR-", ("PR-", "PR+"))


@pytest.mark.parametrize("text", ["seven", "", "1.5", "-1", "4294967296", "１２", "1e3"])
def test_a_seed_is_a_whole_number(text: str) -> None:
    with pytest.raises(InvalidOptionError, match="whole number"):
        parse_seed(text)
    assert parse_seed(" 42 ") == 42


def test_refuses_unknown_classes_and_odd_noise(engine: Engine) -> None:
    with pytest.raises(InvalidOptionError, match="no class '2\\+'"):
        sample_images(engine, "medsyngan_g", [SampleSpec("2+", 1)])
    with pytest.raises(InvalidOptionError, match="0 to 1, not 2"):
        engine.sample("medsyngan_g", np.zeros((1, 100), np.float32), np.array([2]))
    with pytest.raises(InvalidOptionError, match="\\(N, 100\\)"):
        engine.sample("medsyngan_g", np.zeros((1, 64), np.float32), np.array([0]))
    with pytest.raises(InvalidOptionError, match="not for synthesis"):
        engine.sample("simple_cnn", np.zeros((1, 100), np.float32), np.array([0]))
    assert sample_images(engine, "medsyngan_g", []).shape == (0, 128, 128, 3)


def test_weights_of_another_latent_size_are_refused_in_words(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.safetensors"
    save_safetensors(Generator(noise_dim=64).state_dict(), path)
    engine = Engine(weights, overrides={"medsyngan_g": path}, backend="torch-cpu")

    with pytest.raises(
        ModelUnavailableError, match=r"not made for MedSynGAN.*\(65536, 164\) instead of \(65536, 200\)"
    ):
        sample_images(engine, "medsyngan_g", [SampleSpec("PR+", 1)])
    engine.set_override("medsyngan_g", None)
    assert len(sample_images(engine, "medsyngan_g", [SampleSpec("PR+", 1)])) == 1


def test_every_generator_makes_images_of_all_its_classes(engine: Engine) -> None:
    for name in ("medsyngan_g", "medsyngan_her2_g"):
        specs, images = all_classes(engine, name, 9)
        assert tuple(spec.label for spec in specs) == CARDS[name].labels
        assert len({image.tobytes() for image in images}) == len(images)
