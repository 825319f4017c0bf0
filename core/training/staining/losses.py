"""What a virtual stain is held to: colours, amounts of DAB, the structure of the H&E, and the look of real IHC.

All images are (N, 3, H, W) float RGB in [-1, 1]; all distances are scalars.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.resnet_generator import ResnetGenerator
from core.training.staining.start import dab_density

COLOUR_SIZES = (1, 2, 4, 16)
"""Sides of the squares, in pixels, over which colours are averaged before they are compared."""

DENSITY_SIZES = (4, 16)
"""The same for amounts of DAB; none is a pixel, since a pair's sections are neighbours and not one."""

FLAT = 0.05
"""Added to the norm of an image's DAB before it is divided by: what is even has no pattern to agree with."""

FEATURE_LAYERS = (3, 7, 11, 14)
"""Layers of the generator whose features are compared: after each step of the encoder, and amid the residual blocks."""

FEATURE_CHANNELS = (64, 128, 256, 256)
"""How many channels those features have."""

PLACES = 2**16
"""Steps into which the sides of an image are divided to name its places, whatever the size of a map."""

PATCHES, TEMPERATURE = 128, 0.07
"""Positions per image and layer that are told apart, and how sharply (Park et al. 2020)."""


def colour_distance(virtual: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference of colours at several sizes."""
    return _over_sizes(F.l1_loss, virtual, target, COLOUR_SIZES)


def density_distance(virtual: Tensor, target: Tensor, *, quantile: float) -> Tensor:
    """Compare amounts of DAB: the least distance paints this quantile of what such tissue showed (pinball loss).

    H&E does not show how strongly a tumour stains. Absolute error (0.5) would paint the median, which is no stain at
    all: above it too little costs more than too much.
    """

    def pinball(found: Tensor, wanted: Tensor) -> Tensor:
        missing = wanted - found
        return torch.maximum(quantile * missing, (quantile - 1) * missing).mean()

    return _over_sizes(pinball, dab_density(virtual), dab_density(target), DENSITY_SIZES)


def density_disagreement(virtual: Tensor, target: Tensor) -> Tensor:
    """Return 1 - correlation of the amounts of DAB over each image: where the brown is, however much there is of it."""

    def disagreement(found: Tensor, wanted: Tensor) -> Tensor:
        first, second = (each.flatten(1) - each.flatten(1).mean(1, keepdim=True) for each in (found, wanted))
        scale = (first.norm(dim=1) + FLAT) * (second.norm(dim=1) + FLAT)
        likeness: Tensor = ((first * second).sum(1) / scale).mean()
        return 1 - likeness

    return _over_sizes(disagreement, dab_density(virtual), dab_density(target), DENSITY_SIZES)


def realism(answers: Tensor, *, real: bool) -> Tensor:
    """Return how far a discriminator's answers are from calling everything real, or virtual (least squares).

    Source: Mao et al. 2017, https://arxiv.org/abs/1611.04076
    """
    return F.mse_loss(answers.float(), torch.full_like(answers, float(real), dtype=torch.float32))


def correspondence(queries: Sequence[Tensor], keys: Sequence[Tensor]) -> Tensor:
    """Return the PatchNCE loss: a place of the virtual stain shall be like this place of the H&E, unlike all others.

    Args:
        queries, keys: per layer (N, P, F) unit vectors of the same places, of virtual stain and H&E.
    Source: Park et al. 2020, https://arxiv.org/abs/2007.15651
    """
    losses = []
    for query, key in zip(queries, keys, strict=True):
        likeness = query.float() @ key.detach().float().transpose(1, 2) / TEMPERATURE  # (N, P, P)
        places = torch.arange(likeness.shape[1], device=likeness.device).expand(len(likeness), -1)
        losses.append(F.cross_entropy(likeness.flatten(0, 1), places.flatten()))
    return torch.stack(losses).mean()


def features(generator: ResnetGenerator, images: Tensor) -> list[Tensor]:
    """Return what the generator's encoder makes of images, at `FEATURE_LAYERS`."""
    found = []
    for index, layer in enumerate(generator.model[: FEATURE_LAYERS[-1] + 1]):
        images = layer(images)
        if index in FEATURE_LAYERS:
            found.append(images)
    return found


class PatchHeads(nn.Module):
    """A small network per layer that turns features of places into unit vectors."""

    def __init__(self, *, width: int = 128) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(count, width), nn.ReLU(), nn.Linear(width, width)) for count in FEATURE_CHANNELS
        )

    def forward(self, maps: Sequence[Tensor], places: Tensor) -> list[Tensor]:
        """Return (N, P, width) unit vectors per layer.

        Args:
            maps: per layer (N, C, H, W).
            places: (P, 2) whole numbers in [0, `PLACES`), where to look: at the same place of every map.
        """
        found = []
        for head, map_ in zip(self.heads, maps, strict=True):
            size = torch.tensor(map_.shape[2:], device=map_.device)
            rows, columns = (places.to(map_.device) * size // PLACES).unbind(1)
            found.append(F.normalize(head(map_[:, :, rows, columns].transpose(1, 2)), dim=-1))
        return found


class PatchDiscriminator(nn.Module):
    """Tells real IHC from virtual, patch by patch: 70 x 70 PatchGAN with half the published width.

    Source: Isola et al. 2017, https://arxiv.org/abs/1611.07004
    """

    def __init__(self, *, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for factor, stride in ((1, 2), (2, 2), (4, 1)):
            layers += [
                nn.Conv2d(factor * width, 2 * factor * width, 4, stride=stride, padding=1),
                nn.InstanceNorm2d(2 * factor * width),
                nn.LeakyReLU(0.2),
            ]
        self.model = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, 1, h, w) answers, 1 for real."""
        answers: Tensor = self.model(images)
        return answers


def _over_sizes(
    distance: Callable[[Tensor, Tensor], Tensor], first: Tensor, second: Tensor, sizes: Sequence[int]
) -> Tensor:
    return torch.stack([distance(F.avg_pool2d(first, size), F.avg_pool2d(second, size)) for size in sizes]).mean()
