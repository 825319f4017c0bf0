"""A start for the generator: it learns to paint real tiles from their principal components.

The components of a tile, scaled to unit variance, take the place of the noise. A generator that starts so answers every
noise with another image of its class, where one that starts at random first paints the same image for all.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.medsyngan import NOISE_DIM

_REDUCTION = 4
"""Components are of tiles reduced by this factor."""

_RATE = 5e-4


class Components:
    """The principal components of small tiles, around the mean of each class."""

    def __init__(self, images: Tensor, labels: Tensor, *, classes: int, seed: int = 0) -> None:
        """Fit to (N, 3, H, W) images in [-1, 1] with (N,) class indices; N should be some thousands."""
        small = reduced(images)
        self._means = torch.stack([small[labels == label].mean(dim=0) for label in range(classes)])
        centred = small - self._means[labels]
        count = min(NOISE_DIM, *centred.shape)
        with torch.random.fork_rng(devices=[images.device] if images.device.type == "cuda" else []):
            torch.manual_seed(seed)
            _, values, axes = torch.pca_lowrank(centred, q=count, center=False)
        spreads = values / len(centred) ** 0.5  # (count,) standard deviations
        self._axes = F.pad(axes / spreads.clamp_min(1e-3 * float(spreads[0]) + 1e-9), (0, NOISE_DIM - count))

    def of(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return (N, 100) components, each with variance 1 over the images that were fitted."""
        return (reduced(images) - self._means[labels]) @ self._axes


def learn_components(
    generator: nn.Module,
    components: Components,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    steps: int,
    autocast: Callable[[], AbstractContextManager[None]],
) -> float:
    """Let the generator paint tiles from their components; returns the last mean difference, of 2 in all."""
    optimizer = torch.optim.Adam(generator.parameters(), _RATE, (0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    difference = torch.zeros(())
    for (images, labels), _ in zip(batches, range(steps), strict=False):
        codes = components.of(images, labels)
        with autocast():
            painted = generator(codes, labels)
        difference = F.l1_loss(painted.float(), images)
        optimizer.zero_grad()
        difference.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return float(difference.detach())


def reduced(images: Tensor) -> Tensor:
    """Return (N, D) values of (N, 3, H, W) images at the size that components are of."""
    return F.avg_pool2d(images, _REDUCTION).flatten(1)
