"""A narrow network in the published layout makes the same images."""

import pytest
import torch
from torch import nn

from core.errors import WeightsError
from core.models.medsyngan import Discriminator, Generator
from core.training.widen import widened

LABELS = torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("network", "argument"), [(Generator, torch.randn(2, 100)), (Discriminator, torch.rand(2, 3, 128, 128))]
)
def test_the_wider_network_answers_alike(network: type[nn.Module], argument: torch.Tensor) -> None:
    narrow, wide = network(width=32).eval(), network(width=64).eval()  # type: ignore[call-arg]
    wide.load_state_dict(widened(narrow.state_dict(), wide.state_dict()), strict=True)
    with torch.no_grad():
        torch.testing.assert_close(wide(argument, LABELS), narrow(argument, LABELS))


def test_a_wider_network_does_not_fit_into_a_narrower_one() -> None:
    with pytest.raises(WeightsError, match="wider"):
        widened(Generator(width=64).state_dict(), Generator(width=32).state_dict())


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(WeightsError, match="not of that network"):
        widened(Generator(width=32).state_dict(), Discriminator().state_dict())
