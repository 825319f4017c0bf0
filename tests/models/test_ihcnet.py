"""IHCNet is the published network."""

import numpy as np
import pytest
import torch
from filled_weights import FIXTURES, filled_model

from core.models.ihcnet import IHCNet


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    """What the published network answers with filled weights."""
    return dict(np.load(FIXTURES / "ihcnet.npz"))


def test_answers_four_logits_per_tile() -> None:
    logits = filled_model("ihcnet").module(torch.zeros(2, 3, 64, 64))
    assert (logits.shape, logits.dtype) == ((2, 4), torch.float32)


def test_has_the_published_keys_and_shapes(golden: dict[str, np.ndarray]) -> None:
    state = IHCNet().state_dict()
    assert {key: str(tuple(value.shape)) for key, value in state.items()} == dict(
        zip(golden["keys"].tolist(), golden["shapes"].tolist(), strict=True)
    )


def test_loads_its_own_state_strictly() -> None:
    IHCNet().load_state_dict(filled_model("ihcnet").module.state_dict(), strict=True)


def test_answers_as_the_published_network(golden: dict[str, np.ndarray]) -> None:
    network = filled_model("ihcnet").module
    with torch.no_grad():
        pooled = network.embed(torch.from_numpy(golden["input"]))
        logits = network.classifier(pooled)
    assert np.abs(pooled.numpy() - golden["pooled"]).max() <= 1e-4 * np.abs(golden["pooled"]).max()
    assert np.abs(logits.numpy() - golden["logits"]).max() <= 1e-4 * np.abs(golden["logits"]).max()


def test_the_gradient_reaches_the_first_layer() -> None:
    network = IHCNet()
    network(torch.rand(2, 3, 64, 64)).sum().backward()
    assert network.backbone.conv0.weight.grad.abs().sum() > 0
