"""The PSPStain generator is the published network."""

import numpy as np
import pytest
import torch
from filled_weights import FIXTURES, filled_model

from core.models.resnet_generator import (
    BilinearUpsample,
    ResnetGenerator,
    Upsample,
    fold_spectral_norm,
    upsample_bilinearly,
)


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    """What the published generator answers with filled weights."""
    return dict(np.load(FIXTURES / "pspstain_generator.npz"))


@pytest.fixture
def generator() -> ResnetGenerator:
    """A generator of its own with filled weights."""
    generator = ResnetGenerator()
    generator.load_state_dict(filled_model("pspstain").module.state_dict(), strict=True)
    return generator.eval()


def answer(generator: ResnetGenerator, golden: dict[str, np.ndarray]) -> np.ndarray:
    with torch.no_grad():
        return generator(torch.from_numpy(golden["input"])).numpy()


def test_answers_an_image_of_the_same_size(generator: ResnetGenerator) -> None:
    with torch.no_grad():
        stained = generator(torch.zeros(1, 3, 32, 64))
    assert (stained.shape, stained.dtype) == ((1, 3, 32, 64), torch.float32)


def test_has_the_published_keys_and_shapes(golden: dict[str, np.ndarray]) -> None:
    state = ResnetGenerator().state_dict()
    assert {key: str(tuple(value.shape)) for key, value in state.items()} == dict(
        zip(golden["keys"].tolist(), golden["shapes"].tolist(), strict=True)
    )


def test_answers_as_the_published_generator(generator: ResnetGenerator, golden: dict[str, np.ndarray]) -> None:
    assert np.abs(answer(generator, golden) - golden["output"]).max() <= 1e-4 * np.abs(golden["output"]).max()


def test_answers_the_same_with_spectral_norm_folded(generator: ResnetGenerator, golden: dict[str, np.ndarray]) -> None:
    fold_spectral_norm(generator)
    assert "model.1.weight" in generator.state_dict()
    assert np.abs(answer(generator, golden) - golden["output"]).max() <= 1e-4 * np.abs(golden["output"]).max()


def test_the_gradient_reaches_the_first_layer() -> None:
    generator = ResnetGenerator()
    generator(torch.rand(1, 3, 16, 16)).sum().backward()
    assert generator.model[1].weight_orig.grad.abs().sum() > 0


def test_answers_the_same_with_bilinear_upsampling(generator: ResnetGenerator, golden: dict[str, np.ndarray]) -> None:
    upsample_bilinearly(generator)
    assert sum(isinstance(module, BilinearUpsample) for module in generator.model) == 2
    assert np.abs(answer(generator, golden) - golden["output"]).max() <= 1e-4 * np.abs(golden["output"]).max()


def test_another_kernel_is_kept(generator: ResnetGenerator) -> None:
    generator.model[18].filt.mul_(0.5)
    upsample_bilinearly(generator)
    assert [type(generator.model[index]) for index in (18, 22)] == [Upsample, BilinearUpsample]
