"""Training SimpleCNN."""

import torch

from core.training.bundled.nuclear_tiles import simulate_fields
from core.training.bundled.simple_cnn import TiedSimpleCNN, TrainConfig, train


def test_untying_the_first_linear_layer_changes_no_answer() -> None:
    torch.manual_seed(0)
    tied, batch = TiedSimpleCNN().eval(), torch.rand(2, 3, 128, 128)
    with torch.inference_mode():
        before = tied(batch)
    assert torch.allclose(before, tied.untied()(batch), atol=1e-5)


def test_two_steps_of_training_give_a_network_in_evaluation_mode() -> None:
    network = train(simulate_fields(2), TrainConfig(steps=2, batch=2))
    assert not network.training
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())
