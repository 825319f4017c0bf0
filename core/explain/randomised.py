"""Does a heat map depend on what the network has learned? Put random weights into a copy of it and explain again.

Source: Adebayo et al. 2018, Sanity Checks for Saliency Maps (https://arxiv.org/abs/1810.03292), cascading
randomisation: from the classifier's layers down to all layers. A map that stays the same shows the picture's edges and
colours, not the network's reasons.
"""

import copy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from core.explain.deletion import coarse
from core.explain.ranks import rank_correlation
from core.models.weights import LoadedModel
from core.types import Heatmap

DRAWS = 3
"""Sets of random weights."""

LAST = "all layers"
"""The stage that a map is judged by."""

STAGES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "ihcnet": (
        ("classifier", ("classifier",)),
        ("classifier and last dense block", ("classifier", "backbone.norm5", "backbone.denseblock4")),
        (LAST, ("",)),
    ),
    "simple_cnn": (
        ("classifier", ("fc1", "fc2")),
        ("classifier and last convolution", ("fc1", "fc2", "conv2")),
        (LAST, ("",)),
    ),
}
"""Which layers lose their weights, stage by stage, by the name of the network's card."""


@dataclass(frozen=True)
class Randomised:
    """How like a map is to itself once layers have random weights.

    Attributes:
        stage: which layers lost their weights.
        similarity: rank correlation of the map before and after, without its sign, mean over `DRAWS` sets of weights; 0
            where one of the maps is empty. A map turned into its own negative shows the same edges of the picture.
        lowest, highest: of the sets.
    """

    stage: str
    similarity: float
    lowest: float
    highest: float


def randomised_networks(loaded: LoadedModel, *, seed: int = 0) -> Iterator[tuple[str, LoadedModel]]:
    """Yield (stage, network) for every set of random weights and every stage.

    The networks are independent copies on the same device; the engine's own is left as it is. Each copy is randomised
    further once the next one is asked for.
    """
    for draw in range(DRAWS):
        generator = torch.Generator().manual_seed(seed + draw)
        with loaded.lock:  # hooks of an explanation that runs in another thread must not be copied
            module = copy.deepcopy(loaded.module)
        changed = replace(loaded, module=module, sha256="", lock=threading.Lock(), gradients=None)
        for stage, prefixes in STAGES.get(loaded.card.name, ((LAST, ("",)),)):
            for prefix in prefixes:
                randomise(module.get_submodule(prefix), generator)
            yield stage, changed


def randomise(module: nn.Module, generator: torch.Generator) -> None:
    """Give all layers of a module random weights (He et al. 2015), biases of 0 and norms that change nothing."""
    with torch.no_grad():
        for layer in module.modules():
            for name, parameter in layer.named_parameters(recurse=False):
                if parameter.dim() > 1:
                    spread = float(np.sqrt(2 / parameter[0].numel()))
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
                else:
                    parameter.fill_(1.0 if name == "weight" else 0.0)
            for name, buffer in layer.named_buffers(recurse=False):
                if name in ("running_mean", "running_var"):
                    buffer.fill_(float(name == "running_var"))


def compare(
    loaded: LoadedModel,
    maps: dict[str, Heatmap],
    explain: Callable[[LoadedModel], dict[str, Heatmap]],
    *,
    seed: int = 0,
    done: Callable[[], None] = lambda: None,
) -> dict[str, tuple[Randomised, ...]]:
    """Explain with random weights and compare.

    Args:
        maps: name -> (px, px) heat map of the network as it is.
        explain: the same maps of another network.
        done: called after each explanation; may raise CancelledError.
    Returns:
        name -> one comparison a stage, from the classifier down.
    """
    found: dict[str, dict[str, list[float]]] = {name: {} for name in maps}
    for stage, network in randomised_networks(loaded, seed=seed):
        for name, heatmap in explain(network).items():
            similarity = rank_correlation(coarse(maps[name]), coarse(heatmap))
            found[name].setdefault(stage, []).append(abs(similarity or 0.0))
        done()
    return {
        name: tuple(
            Randomised(stage, float(np.mean(values)), min(values), max(values)) for stage, values in stages.items()
        )
        for name, stages in found.items()
    }
