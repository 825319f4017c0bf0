"""Vary a whole batch of training images at once, with the same result on CPU and GPU.

Chances and amounts are drawn on the CPU from the generator that is given, so that a seed means the same everywhere.
All functions take and return (N, 3, H, W) float32 RGB in [0, 1].
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from core.training.config import Augmentation

Change = Callable[[Tensor, Generator], Tensor]

_FLIPS: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda batch: torch.flip(batch, (-1,)),
    lambda batch: torch.flip(batch, (-2,)),
    lambda batch: batch.transpose(-1, -2),
)
DARKEST = 1.0 / 255.0
BLOCK = 8
"""Side of the blocks that JPEG compresses, in pixels."""

_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantisation table of ITU-T T.81, annex K, quality 50."""


def augment(images: Tensor, how: Augmentation, random: Generator) -> Tensor:
    """Vary every image of a batch on its own.

    Args:
        images: (N, H, W, 3) uint8 RGB, on the device that trains.
        random: on the CPU.
    Returns:
        (N, 3, H, W) float32 RGB in [0, 1].
    """
    batch = images.permute(0, 3, 1, 2)
    if how.turns:
        batch = turn(batch, random)
    batch = batch.float() / 255.0
    if how.zoom:
        batch = zoom(batch, how.zoom, random)
    if how.stain or how.light:
        batch = restain(batch, how.stain, how.light, random)
    if how.blur:
        batch = _sometimes(batch, how.blur, blur, random)
    if how.noise:
        batch = _sometimes(batch, how.noise, noise, random)
    if how.jpeg:
        batch = _sometimes(batch, how.jpeg, compress, random)
    return batch


def turn(batch: Tensor, random: Generator) -> Tensor:
    """Flip and rotate by quarter turns; all eight ways are equally likely. Images must be square."""
    for change in _FLIPS:
        chosen = torch.rand(len(batch), generator=random) < 0.5
        batch = torch.where(chosen.to(batch.device)[:, None, None, None], change(batch), batch)
    return batch


def zoom(batch: Tensor, largest: float, random: Generator) -> Tensor:
    """Magnify or shrink by up to this share; what comes in at the edges is mirrored."""
    factor = torch.exp((2 * torch.rand(len(batch), generator=random) - 1) * math.log1p(largest))
    matrix = torch.zeros(len(batch), 2, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = 1.0 / factor
    grid = F.affine_grid(matrix.to(batch.device), list(batch.shape), align_corners=False)
    return F.grid_sample(batch, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def restain(batch: Tensor, stain: float, light: float, random: Generator) -> Tensor:
    """Mix the channels' optical densities a little, scale them, and tint the light.

    Args:
        stain: largest relative change of all densities; a quarter of it is the deviation of the mixing.
        light: deviation of the white point, relative.
    """
    count = len(batch)
    amount = 1 + stain * (2 * torch.rand(count, 1, 1, generator=random) - 1)
    matrix = torch.eye(3) * amount + stain / 4 * torch.randn(count, 3, 3, generator=random)
    tint = torch.randn(count, 1, 1, generator=random) + 0.4 * torch.randn(count, 3, 1, generator=random)
    white = (1 + light * tint).clamp(0.6, 1.2)
    log = batch.flatten(2).clamp_min(DARKEST).log()  # (N, 3, P); density up to a factor
    changed = (matrix.to(batch.device) @ log).exp() * white.to(batch.device)
    return changed.clamp_(0, 1).view_as(batch)


def blur(batch: Tensor, random: Generator) -> Tensor:
    """Blur by a Gaussian of 0.4 to 1.2 pixels."""
    sigma = 0.4 + 0.8 * torch.rand(len(batch), 1, generator=random)
    kernel = torch.exp(-0.5 * (torch.arange(-2.0, 3.0)[None] / sigma) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).to(batch.device).repeat_interleave(3, dim=0)  # (3 N, 5)
    planes = F.pad(batch, (2, 2, 2, 2), mode="reflect").flatten(0, 1)[None]
    planes = F.conv2d(planes, kernel[:, None, None, :], groups=len(kernel))
    return F.conv2d(planes, kernel[:, None, :, None], groups=len(kernel))[0].view_as(batch)


def noise(batch: Tensor, random: Generator) -> Tensor:
    """Add camera noise of 1 to 6 gray levels."""
    amount = (1 + 5 * torch.rand(len(batch), 1, 1, 1, generator=random)) / 255.0
    return (batch + (torch.randn(batch.shape, generator=random) * amount).to(batch.device)).clamp_(0, 1)


def compress(batch: Tensor, random: Generator) -> Tensor:
    """Compress as JPEG of quality 40 to 95 does, without subsampling of the colours.

    Source: ITU-T T.81 (block-wise cosine transform, quantisation).
    """
    quality = 40 + 55 * torch.rand(len(batch), generator=random)
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50).to(batch.device)
    table = torch.tensor(_LUMINANCE, dtype=torch.float32, device=batch.device) / 255.0
    step = (table * factor[:, None, None]).clamp_min(1 / 255.0)[:, None, None, None]  # (N, 1, 1, 1, 8, 8)
    height, width = batch.shape[-2:]
    padded = F.pad(batch, (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")
    cosine = _cosines().to(batch.device)
    blocks = padded.unfold(2, BLOCK, BLOCK).unfold(3, BLOCK, BLOCK)  # (N, 3, h, w, 8, 8)
    kept = torch.round(cosine @ (blocks - 0.5) @ cosine.T / step) * step
    restored = cosine.T @ kept @ cosine + 0.5
    whole = restored.permute(0, 1, 2, 4, 3, 5).reshape(padded.shape)
    return whole[..., :height, :width].clamp(0, 1)


def _cosines() -> Tensor:
    """Return the orthonormal (8, 8) matrix of the discrete cosine transform."""
    place, wave = torch.arange(BLOCK) + 0.5, torch.arange(BLOCK)[:, None]
    matrix = torch.cos(math.pi / BLOCK * place * wave) * math.sqrt(2 / BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix


def _sometimes(batch: Tensor, chance: float, change: Change, random: Generator) -> Tensor:
    chosen = torch.nonzero(torch.rand(len(batch), generator=random) < chance).flatten()
    if len(chosen) == 0:
        return batch
    chosen = chosen.to(batch.device)
    return batch.index_copy(0, chosen, change(batch[chosen], random))
