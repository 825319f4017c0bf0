"""SimpleCNN is the published network."""

import pytest
import torch
from filled_weights import filled_model
from torch.nn import functional as F

from core.models.simple_cnn import SimpleCNN


def test_answers_two_logits_per_tile() -> None:
    logits = SimpleCNN()(torch.zeros(3, 3, 128, 128))
    assert (logits.shape, logits.dtype) == ((3, 2), torch.float32)


def test_loads_its_own_state_strictly() -> None:
    SimpleCNN().load_state_dict(SimpleCNN().state_dict(), strict=True)


def test_answers_the_stored_value() -> None:
    ramp = F.interpolate(torch.linspace(-1, 1, 12).view(1, 3, 2, 2), size=(128, 128), mode="bilinear")
    logits = filled_model("simple_cnn").module(ramp)
    assert logits[0].tolist() == pytest.approx([1.245332, 0.836201], abs=1e-4)


def test_the_gradient_reaches_the_first_layer() -> None:
    network = SimpleCNN()
    network(torch.rand(2, 3, 128, 128)).sum().backward()
    assert network.conv1.weight.grad.abs().sum() > 0
