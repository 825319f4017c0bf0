"""The bundled generators: reproducible, various, and in the colours of their class."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from core.config import ROOT
from core.models.manifest import read_manifest
from core.models.registry import get_card
from core.models.weights import load_weights
from core.stains.separation import separate

WHITE = np.full(3, 240.0)


def images_of(name: str, label: int, *, count: int = 24, seed: int = 5) -> npt.NDArray[np.uint8]:
    entry = read_manifest(ROOT / "weights").get(name)
    if entry is None:
        pytest.skip(f"no weights are bundled for {name}")
    generator = load_weights(get_card(name), entry.paths).module
    noise = torch.randn(count, 100, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        images = generator(noise, torch.full((count,), label))
    return ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def stained(images: npt.NDArray[np.uint8]) -> float:
    """Mean over images of the 98th percentile of DAB density."""
    return float(np.mean([np.percentile(separate(image, WHITE).dab, 98) for image in images]))


@pytest.mark.parametrize("name", ["medsyngan_g", "medsyngan_her2_g"])
def test_the_same_seed_gives_the_same_images_and_another_others(name: str) -> None:
    first = images_of(name, 0, count=3)
    assert np.array_equal(first, images_of(name, 0, count=3))
    assert np.abs(first.astype(int) - images_of(name, 0, count=3, seed=6)).mean() > 5


@pytest.mark.parametrize("name", ["medsyngan_g", "medsyngan_her2_g"])
def test_no_two_images_are_alike(name: str) -> None:
    small = images_of(name, 1).reshape(24, 16, 8, 16, 8, 3).mean(axis=(2, 4)).reshape(24, -1)
    distances = np.sqrt(((small[:, None] - small[None]) ** 2).mean(axis=2))
    assert distances[~np.eye(24, dtype=bool)].min() > 5


def test_pr_positive_images_are_browner_than_negative_ones() -> None:
    negative, positive = (stained(images_of("medsyngan_g", label)) for label in (0, 1))
    assert positive > negative + 0.2


def test_strong_her2_scores_are_browner_than_weak_ones() -> None:
    scores = [stained(images_of("medsyngan_her2_g", label)) for label in range(4)]
    assert scores[3] > max(scores[:2]) + 0.2
    assert scores[2] > scores[0]
