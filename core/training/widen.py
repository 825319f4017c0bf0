"""Write a narrow MedSynGAN network into the wider published layout; it makes the same images.

`python -m core.training.widen RUN/weights.safetensors weights/medsyngan_g.safetensors --model medsyngan_g`

A network of half the width trains about three times as fast on a CPU. The channels that it lacks are filled with zeros.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from core.errors import WeightsError
from core.models.registry import get_card
from core.models.weights import read_state_dict, save_safetensors

MODELS = ("medsyngan_g", "medsyngan_d", "medsyngan_her2_g")


def widened(narrow: Mapping[str, Tensor], wide: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put weights into the first channels of a wider layout, zeros elsewhere.

    Args:
        wide: state dict of the published network, for its shapes.
    Raises:
        WeightsError: the weights are of another network, or wider than that.
    """
    if set(narrow) != set(wide):
        raise WeightsError("These weights are not of that network. Choose the one that the run has trained.")
    found = {}
    for name, value in narrow.items():
        if any(own > most for own, most in zip(value.shape, wide[name].shape, strict=True)):
            raise WeightsError(f"These weights are wider than the network's: {name} has {tuple(value.shape)}.")
        place = torch.zeros(wide[name].shape)
        place[tuple(slice(0, size) for size in value.shape)] = value
        found[name] = place
    return found


def main() -> None:
    """Read, widen, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="weights of a run")
    parser.add_argument("target", type=Path, help="file to write")
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    arguments = parser.parse_args()
    with torch.device("meta"):
        wide = get_card(arguments.model).build().state_dict()
    print(save_safetensors(widened(read_state_dict(arguments.source), wide), arguments.target))


if __name__ == "__main__":
    main()
