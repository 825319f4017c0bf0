"""PSPStain's generator: H&E to virtual IHC."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import remove_spectral_norm, spectral_norm


def _conv(inputs: int, outputs: int, kernel: int, *, padding: int = 0) -> nn.Module:
    # The old form of spectral norm: published files hold weight_orig, weight_u and weight_v.
    return spectral_norm(nn.Conv2d(inputs, outputs, kernel, padding=padding))


def _block(inputs: int, outputs: int, kernel: int, *, padding: int = 0) -> list[nn.Module]:
    return [_conv(inputs, outputs, kernel, padding=padding), nn.InstanceNorm2d(outputs), nn.ReLU()]


def _blur_kernel(taps: tuple[float, ...], channels: int) -> Tensor:
    """Return the outer product of `taps`, summing to 1, once per channel: (channels, 1, k, k)."""
    line = torch.tensor(taps)
    kernel = torch.outer(line, line)
    return (kernel / kernel.sum()).repeat(channels, 1, 1, 1)


class Downsample(nn.Module):
    """Blur, then keep every second pixel (Zhang 2019, https://arxiv.org/abs/1904.11486)."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filt", _blur_kernel((1.0, 2.0, 1.0), channels))

    def forward(self, batch: Tensor) -> Tensor:
        """Halve height and width, rounded up."""
        return F.conv2d(F.pad(batch, (1, 1, 1, 1), mode="reflect"), self.filt, stride=2, groups=self.filt.shape[0])


class Upsample(nn.Module):
    """Put zeros between the pixels, then blur."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filt", _blur_kernel((1.0, 3.0, 3.0, 1.0), channels) * 4)

    def forward(self, batch: Tensor) -> Tensor:
        """Double height and width."""
        padded = F.pad(batch, (1, 1, 1, 1), mode="replicate")
        doubled = F.conv_transpose2d(padded, self.filt, stride=2, padding=2, groups=self.filt.shape[0])
        return doubled[:, :, 1:-1, 1:-1]


class BilinearUpsample(nn.Module):
    """The same as `Upsample` with its usual kernel, forty times faster on a CPU.

    Zeros between the pixels blurred with (1, 3, 3, 1) are three quarters of the nearer pixel and one of the farther.
    """

    def forward(self, batch: Tensor) -> Tensor:
        """Double height and width."""
        return F.interpolate(batch, scale_factor=2.0, mode="bilinear", align_corners=False)


class ResnetBlock(nn.Module):
    """Two convolutions whose result is added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_block(channels, channels, 3),
            nn.ReflectionPad2d(1),
            _conv(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, batch: Tensor) -> Tensor:
        """Return the input plus what the block adds, same shape."""
        added: Tensor = self.conv_block(batch)
        return batch + added


class ResnetGenerator(nn.Module):
    """Encoder, six residual blocks, decoder; spectral norm on every convolution.

    Source: PSPStain (https://github.com/ccitachi/PSPStain).
    """

    def __init__(self, *, width: int = 64, blocks: int = 6) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.ReflectionPad2d(3),
            *_block(3, width, 7),
            *_block(width, 2 * width, 3, padding=1),
            Downsample(2 * width),
            *_block(2 * width, 4 * width, 3, padding=1),
            Downsample(4 * width),
            *(ResnetBlock(4 * width) for _ in range(blocks)),
            Upsample(4 * width),
            *_block(4 * width, 2 * width, 3, padding=1),
            Upsample(2 * width),
            *_block(2 * width, width, 3, padding=1),
            nn.ReflectionPad2d(3),
            _conv(width, 3, 7),
            nn.Tanh(),
        )

    def forward(self, batch: Tensor) -> Tensor:
        """Stain H&E virtually.

        Args:
            batch: (N, 3, H, W) float RGB in [-1, 1]; H and W multiples of 4, usually 256.
        Returns:
            (N, 3, H, W) float RGB in [-1, 1].
        """
        stained: Tensor = self.model(batch)
        return stained


def fold_spectral_norm(generator: ResnetGenerator) -> None:
    """Replace every normalised weight by its value in evaluation mode, in place: same answer, plain convolutions."""
    generator.eval()
    for module in generator.modules():
        if isinstance(module, nn.Conv2d):
            remove_spectral_norm(module)


def upsample_bilinearly(generator: ResnetGenerator) -> None:
    """Replace every `Upsample` that has its usual kernel by `BilinearUpsample`, in place: same answer, less work."""
    for index, module in enumerate(generator.model):
        if isinstance(module, Upsample):
            usual = _blur_kernel((1.0, 3.0, 3.0, 1.0), module.filt.shape[0]) * 4
            if torch.allclose(module.filt.cpu(), usual, atol=1e-4):
                generator.model[index] = BilinearUpsample()
