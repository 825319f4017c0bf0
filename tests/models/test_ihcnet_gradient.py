"""The written-out backward pass is what autograd computes."""

import pytest
import torch
from filled_weights import filled_model

from core.models.ihcnet import IHCNet
from core.models.ihcnet_gradient import GRADIENT_OUTPUTS, IHCNetGradient


@pytest.fixture(scope="module")
def network() -> IHCNet:
    """IHCNet in float64, so that no ReLU switches because of rounding."""
    network = IHCNet().double().eval().requires_grad_(False)
    network.load_state_dict(filled_model("ihcnet").module.state_dict())
    return network


def test_activations_and_gradients_are_those_of_autograd(network: IHCNet) -> None:
    batch = torch.rand(2, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    outputs: dict[str, torch.Tensor] = {}
    names = ("conv0", "pool0", "denseblock1", "denseblock2", "denseblock3", "denseblock4")
    handles = [
        network.backbone.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: outputs.__setitem__(name, output)
        )
        for name in names
    ]
    logits = network(batch.clone().requires_grad_())
    for handle in handles:
        handle.remove()
    gradients = torch.autograd.grad(logits[:, 2].sum(), [outputs[name] for name in names])
    expected = {"logits": logits} | outputs | {f"gradient of {n}": g for n, g in zip(names, gradients, strict=True)}

    target = torch.tensor([[0.0, 0, 1, 0]]).double().expand(2, 4)
    found = IHCNetGradient(network)(batch, target)
    for name, value in zip(GRADIENT_OUTPUTS, found, strict=True):
        torch.testing.assert_close(value, expected[name], rtol=1e-9, atol=1e-12, msg=name)
