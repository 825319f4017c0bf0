"""The nuclei detector is the network its card describes."""

import pytest
import torch
from filled_weights import filled_model
from torch.nn import functional as F

from core.models.nuclei_unet import NucleiUNet


def test_answers_three_maps_as_large_as_the_tile() -> None:
    with torch.no_grad():
        maps = NucleiUNet().eval()(torch.zeros(2, 3, 64, 96))
    assert (maps.shape, maps.dtype) == ((2, 3, 64, 96), torch.float32)
    assert 0 <= maps.min() <= maps.max() <= 1


def test_loads_its_own_state_strictly() -> None:
    NucleiUNet().load_state_dict(NucleiUNet().state_dict(), strict=True)


def test_answers_the_stored_value() -> None:
    ramp = F.interpolate(torch.linspace(-1, 1, 12).view(1, 3, 2, 2), size=(64, 64), mode="bilinear")
    maps = filled_model("nuclei").module(ramp)
    assert maps[0, :, 21, 37].tolist() == pytest.approx([0.307515, 0.417965, 0.397603], abs=1e-4)


def test_the_gradient_reaches_the_first_layer() -> None:
    network = NucleiUNet()
    network(torch.rand(2, 3, 64, 64)).sum().backward()
    assert network.members[1].down[0][0].weight.grad.abs().sum() > 0
