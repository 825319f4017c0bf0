"""MedSynGAN's generator and discriminator."""

import pytest
import torch
from filled_weights import filled_model

from core.models.medsyngan import Discriminator, Generator


def test_the_generator_makes_rgb_images() -> None:
    with torch.no_grad():
        images = Generator()(torch.randn(2, 100), torch.tensor([0, 1]))
    assert (images.shape, images.dtype) == ((2, 3, 128, 128), torch.float32)
    assert images.abs().max() <= 1


def test_the_discriminator_answers_probabilities() -> None:
    with torch.no_grad():
        probs = Discriminator()(torch.rand(2, 3, 128, 128), torch.tensor([0, 1]))
    assert (probs.shape, probs.dtype) == ((2,), torch.float32)
    assert ((probs > 0) & (probs < 1)).all()


@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_loads_its_own_state_strictly(network: type[torch.nn.Module]) -> None:
    network().load_state_dict(network().state_dict(), strict=True)


def test_the_generator_answers_the_stored_values() -> None:
    noise = torch.linspace(-2, 2, 100).expand(2, 100)
    images = filled_model("medsyngan_g").module(noise, torch.tensor([0, 1]))
    expected = [[-0.7500, -0.5210, 0.8712], [-0.6863, -0.6566, 0.9225]]
    torch.testing.assert_close(images[:, :, 64, 64], torch.tensor(expected), atol=1e-3, rtol=0)


def test_the_discriminator_answers_the_stored_values() -> None:
    ramp = torch.linspace(-1, 1, 128).expand(2, 3, 128, 128)
    probs = filled_model("medsyngan_d").module(ramp, torch.tensor([0, 1]))
    assert probs.tolist() == pytest.approx([0.599358, 0.599425], abs=1e-4)


def test_the_gradient_reaches_the_generators_first_layer() -> None:
    generator = Generator()
    generator(torch.randn(1, 100), torch.tensor([1])).sum().backward()
    assert generator.project.weight.grad.abs().sum() > 0
    assert generator.label_embedding.weight.grad[1].abs().sum() > 0


def test_the_gradient_reaches_the_discriminators_first_layer() -> None:
    discriminator = Discriminator()
    discriminator(torch.rand(1, 3, 128, 128), torch.tensor([0])).sum().backward()
    assert discriminator.features[0].weight.grad.abs().sum() > 0
