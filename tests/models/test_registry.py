"""Every card tells the truth about its network."""

import pytest
import torch

from core.errors import NotFoundError
from core.models.registry import CARDS, get_card


@pytest.mark.parametrize("name", CARDS)
def test_a_card_counts_its_parameters(name: str) -> None:
    with torch.device("meta"):
        network = CARDS[name].build()
    assert sum(parameter.numel() for parameter in network.parameters()) == CARDS[name].parameters


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_listed_under_its_own_name(name: str) -> None:
    assert get_card(name).name == name


def test_an_unknown_model_is_named_with_those_that_exist() -> None:
    with pytest.raises(NotFoundError, match=r"no model called 'resnet'.*ihcnet"):
        get_card("resnet")
