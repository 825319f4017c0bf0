"""The loss of a virtual stain: weighted terms, and the networks that learn beside the generator for two of them."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from core.models.resnet_generator import ResnetGenerator
from core.training.config import VirtualStainConfig
from core.training.gan.networks import toggle
from core.training.staining.losses import (
    PATCHES,
    PLACES,
    PatchDiscriminator,
    PatchHeads,
    colour_distance,
    correspondence,
    density_disagreement,
    density_distance,
    features,
    realism,
)

TERMS = ("colour", "density", "correlation", "adversarial", "nce")
"""Names of the terms and of their weights."""


class Objective:
    """What the generator is held to; a term without weight costs nothing and has no network."""

    def __init__(self, config: VirtualStainConfig, fabric: Fabric) -> None:
        self.config, self.fabric = config, fabric
        self.networks: dict[str, nn.Module] = {}
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        if config.adversarial:
            self._add("discriminator", PatchDiscriminator())
        if config.nce:
            self._add("heads", PatchHeads())

    def terms(self, generator: ResnetGenerator, he: Tensor, virtual: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Return the terms in use, without their weights.

        Args:
            generator: whose encoder sees H&E and virtual stain alike.
            he, virtual, target: (N, 3, H, W) in [-1, 1].
        """
        config, found = self.config, {}
        if config.colour:
            found["colour"] = colour_distance(virtual, target)
        if config.density:
            found["density"] = density_distance(virtual, target, quantile=config.quantile)
        if config.correlation:
            found["correlation"] = density_disagreement(virtual, target)
        if config.adversarial:
            # Past the wrapper of several devices, which would wait for gradients that this pass does not make.
            network = cast(nn.Module, self.networks["discriminator"].module)
            toggle(network.parameters(), on=False)
            with self.fabric.autocast():
                found["adversarial"] = realism(network(virtual), real=True)
            toggle(network.parameters(), on=True)
        if config.nce:
            heads, places = self.networks["heads"], torch.randint(PLACES, (PATCHES, 2))
            with self.fabric.autocast():
                with torch.no_grad():
                    keys = heads(features(generator, he), places)
                queries = heads(features(generator, virtual), places)
            found["nce"] = correspondence(queries, keys)
        return found

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Return the weighted sum of terms."""
        return torch.stack([getattr(self.config, name) * value for name, value in terms.items()]).sum()

    def learn(self, virtual: Tensor, ihc: Tensor) -> dict[str, Tensor]:
        """Let the heads follow the gradients of the generator's step, and the discriminator look at both stains."""
        if "heads" in self.networks:
            self._follow("heads")
        if "discriminator" not in self.networks:
            return {}
        answers = self.networks["discriminator"](torch.cat([virtual.detach(), ihc]))
        of_virtual, of_real = answers.chunk(2)
        loss = (realism(of_virtual, real=False) + realism(of_real, real=True)) / 2
        self.fabric.backward(loss)
        self._follow("discriminator")
        return {"d_loss": loss.detach()}

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {
            name: {"network": network.state_dict(), "optimizer": self.optimizers[name].state_dict()}
            for name, network in self.networks.items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state."""
        for name, network in self.networks.items():
            network.load_state_dict(state[name]["network"])
            self.optimizers[name].load_state_dict(state[name]["optimizer"])

    def _add(self, name: str, network: nn.Module) -> None:
        rate = self.config.discriminator_learning_rate or self.config.learning_rate
        optimizer = torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.999))
        self.networks[name], self.optimizers[name] = self.fabric.setup(network, optimizer)

    def _follow(self, name: str) -> None:
        self.optimizers[name].step()
        self.optimizers[name].zero_grad(set_to_none=True)
