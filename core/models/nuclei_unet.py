"""A small U-Net that marks the centres of stained and unstained nuclei, and where nuclei are.

It works at half the resolution of its input and writes four neighbouring output pixels at once, which costs a fraction
of convolutions at full resolution and loses nothing: nuclei are 15 to 20 pixels wide. Two of them, trained apart,
answer together; the second sees the mirror image.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NUCLEI_MPP = 0.5
"""Micrometres per pixel of input and output."""

NUCLEI_TILE_PX = 512
"""Side of the tiles at run time; a field of 1024 px at 40x is one. Training uses smaller ones."""

MAPS = ("positive centre", "negative centre", "inside")
"""What the output maps show, in order."""

MEMBERS = 2

WIDTHS = (32, 64, 96, 128)
"""Channels at 1, 2, 4 and 8 um per pixel."""

_RARE = -4.6
"""Logit of 1 %: how likely a centre is before anything was learned."""


class _Block(nn.Sequential):
    """Two convolutions with batch norm."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class NucleiMember(nn.Module):
    """(N, 3, H, W) normalised RGB to (N, 3, H, W) logits of `MAPS`; H and W are multiples of 16."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout2d(dropout)
        first, *deeper = widths
        self.down = nn.ModuleList([_Block(12, first)])
        for inputs, outputs in zip(widths, deeper, strict=False):
            self.down.append(_Block(inputs, outputs))
        self.up = nn.ModuleList(
            [_Block(low + high, high) for high, low in zip(widths, deeper, strict=False)],
        )
        self.head = nn.Conv2d(first, 4 * len(MAPS), 1)
        with torch.no_grad():
            bias = torch.tensor([_RARE, _RARE, 0.0]).repeat_interleave(4)
            self.head.bias.copy_(bias)  # type: ignore[union-attr]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        x = F.pixel_unshuffle(images, 2)
        skipped: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2))
            skipped.append(x)
        x = self.dropout(x)
        for level in range(len(self.up) - 1, -1, -1):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = self.up[level](torch.cat([x, skipped[level]], dim=1))
        return F.pixel_shuffle(self.head(x), 2)


class NucleiUNet(nn.Module):
    """(N, 3, H, W) normalised RGB, white-balanced to 240, at 0.5 um/px to (N, 3, H, W) maps in [0, 1], see `MAPS`."""

    def __init__(self) -> None:
        super().__init__()
        self.members = nn.ModuleList([NucleiMember() for _ in range(MEMBERS)])

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean of the members' maps."""
        straight, mirrored = self.members
        maps: Tensor = torch.sigmoid(straight(images)) + torch.sigmoid(mirrored(images.flip(3))).flip(3)
        return maps / MEMBERS
