"""Differentiable augmentation: what the discriminator sees is varied, real and synthetic images alike.

Source: Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training, https://arxiv.org/abs/2006.10738
(colour, translation, cutout). Colours are varied half as much as there: how a stain looks is what is to be learned.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

BRIGHTNESS, SATURATION, CONTRAST = 0.2, 0.5, 0.25
"""Largest shift of all values (of 2 in all), and largest relative changes."""

SHIFT, CUTOUT = 1 / 8, 3 / 8
"""Largest shift and side of the square that is blanked, as shares of the image's side."""


def vary(images: Tensor) -> Tensor:
    """Vary colour, position and completeness of each image; gradients pass through.

    Args:
        images: (N, 3, H, W) float RGB in [-1, 1].
    Returns:
        The same shape; values may leave [-1, 1] a little.
    """
    return cut_out(shift(colour(images)))


def colour(images: Tensor) -> Tensor:
    """Vary brightness, saturation and contrast."""
    images = images + BRIGHTNESS * _spread(images)
    grey = images.mean(dim=1, keepdim=True)  # (N, 1, H, W)
    images = grey + (images - grey) * (1 + SATURATION * _spread(images))
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (images - middle) * (1 + CONTRAST * _spread(images))


def shift(images: Tensor) -> Tensor:
    """Shift by whole pixels; what comes in from outside is mirrored: a margin would outshine the texture."""
    count, _, height, width = images.shape
    reach_y, reach_x = int(height * SHIFT + 0.5), int(width * SHIFT + 0.5)
    rows = _starts(count, 2 * reach_y + 1, images) + torch.arange(height, device=images.device)  # (N, H)
    columns = _starts(count, 2 * reach_x + 1, images) + torch.arange(width, device=images.device)
    padded = F.pad(images, (reach_x, reach_x, reach_y, reach_y), mode="reflect")
    each = torch.arange(count, device=images.device).view(-1, 1, 1)
    return padded.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cut_out(images: Tensor) -> Tensor:
    """Set one square of each image to grey; it may reach over the border."""
    count, _, height, width = images.shape
    side_y, side_x = int(height * CUTOUT + 0.5), int(width * CUTOUT + 0.5)
    rows = torch.arange(height, device=images.device) - _starts(count, height + side_y, images) + side_y  # (N, H)
    columns = torch.arange(width, device=images.device) - _starts(count, width + side_x, images) + side_x
    hidden = ((rows >= 0) & (rows < side_y))[:, None, :, None] & ((columns >= 0) & (columns < side_x))[:, None, None, :]
    return images.masked_fill(hidden, 0.0)


def _spread(images: Tensor) -> Tensor:
    return torch.rand(len(images), 1, 1, 1, device=images.device, dtype=images.dtype) * 2 - 1


def _starts(count: int, limit: int, images: Tensor) -> Tensor:
    return torch.randint(0, limit, (count, 1), device=images.device)
