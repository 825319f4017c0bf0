"""What training adds to the discriminator goes away when its weights are written, and the answers stay."""

import pytest
import torch
from torch import nn

from core.models.medsyngan import Discriminator, Generator
from core.training.gan.networks import Critic, RunningMean, sample

IMAGES = torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(2)) * 2 - 1
LABELS = torch.tensor([0, 1, 2, 1])


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_the_plain_discriminator_answers_alike(spectral_norm: bool, tied: bool) -> None:
    torch.manual_seed(0)
    critic = Critic(Discriminator(classes=3, width=32), spectral_norm=spectral_norm, tied=tied)
    critic(IMAGES, LABELS)  # the power iteration moves on while training
    published = Discriminator(classes=3, width=32)
    published.load_state_dict(critic.plain().state_dict(), strict=True)
    with torch.no_grad():
        expected = torch.sigmoid(critic.eval()(IMAGES, LABELS).mean(dim=1))
        torch.testing.assert_close(published(IMAGES, LABELS), expected)


def test_spectral_norm_bounds_every_layer() -> None:
    torch.manual_seed(0)
    critic = Critic(Discriminator(width=32), spectral_norm=True, tied=True)
    for _ in range(30):
        critic(IMAGES[:1], LABELS[:1])
    for layer in critic.plain().features:
        if isinstance(layer, nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) == pytest.approx(1, abs=0.05)


def test_writing_the_weights_leaves_the_training_as_it_is() -> None:
    critic = Critic(Discriminator(width=32), spectral_norm=True, tied=False)
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    critic.plain()
    assert all(torch.equal(value, before[name]) for name, value in critic.state_dict().items())


def test_the_running_mean_follows_fast_at_first_and_slowly_later() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    mean = RunningMean(network, 0.99)
    nn.init.ones_(network.weight)
    mean.update(network)
    assert float(mean.network.weight.detach()) == pytest.approx(0.9)
    for _ in range(2000):
        mean.update(network)
    assert float(mean.network.weight.detach()) == pytest.approx(1.0, abs=1e-3)
    assert not mean.network.weight.requires_grad


def test_samples_are_pictures_and_the_batch_does_not_matter() -> None:
    torch.manual_seed(0)
    generator, noise, labels = Generator(width=32), torch.randn(3, 100), torch.tensor([0, 1, 0])
    images = sample(generator, noise, labels)
    assert (images.shape, images.dtype) == ((3, 128, 128, 3), torch.uint8)
    assert (images.int() - sample(generator, noise, labels, batch=1).int()).abs().max() <= 1
