"""A generator that paints something sensible before its first training step.

The generator has no path around its bottleneck and normalises every feature: from random weights it takes tens of
thousands of crops until it paints nuclei at all. Here the encoder starts as a loss-free packing of the image into the
channels of the bottleneck (every pixel of a 4 x 4 block in a channel of its own, as a pair of opposite signs, so that
ReLU loses nothing), some channels keep random features for context, and the decoder is solved by least squares.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.resnet_generator import ResnetGenerator
from core.quality.stain_agreement import TARGET_WHITE
from core.stains.separation import H_DAB

SHIFTS = ((0, 0), (0, 1), (1, 0), (1, 1))
RIDGE = 1e-2
POSITIONS = 4000
"""Places per image that take part in the least squares."""

STAINED_FACTOR = 15.0
"""How much more often a stained place is drawn than an unstained one; otherwise the rare brown is averaged away."""

_ENCODER = (1, 4, 8)
_FIRST_BLOCK, _BLOCKS = 12, 6
_HALF, _FULL, _OUT = 19, 23, 27
_PACKED = 96
"""Channels of the bottleneck that hold the packed image: 3 colours x 16 pixels x 2 signs."""


@torch.no_grad()
def solve_start(generator: ResnetGenerator, batches: Sequence[tuple[Tensor, Tensor]]) -> None:
    """Set the generator's weights in place from pairs of H&E and target, (1, 3, H, W) in [-1, 1] each."""
    generator.eval()
    layers = list(generator.model)
    for layer in _convolutions(generator):
        _tensor(layer, "bias").zero_()
        _settle(layer)
    _pack(layers)
    features = [_run(layers[:_HALF], he) for he, _ in batches]
    halves = [_phases(target) for _, target in batches]  # (1, 12, H / 2, W / 2)
    places = [_places(target, 2) for _, target in batches]
    _solve(layers[_HALF], features, halves, places)
    features = [_run(layers[_HALF:_FULL], part) for part in features]
    places = [_places(target, 1) for _, target in batches]
    _solve(layers[_FULL], features, [target for _, target in batches], places)
    features = [_run(layers[_FULL:_OUT], part) for part in features]
    wanted = [torch.atanh(target.clamp(-0.97, 0.97)) for _, target in batches]
    _solve(layers[_OUT], features, wanted, places, last=True)


def dab_density(batch: Tensor) -> Tensor:
    """Return the DAB density of targets or virtual stains in [-1, 1], (N, 1, H, W)."""
    vectors = np.array([*H_DAB, np.cross(*H_DAB)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    unmix = torch.tensor(np.linalg.inv(vectors).T[1], dtype=torch.float32).view(1, 3, 1, 1)
    light = ((batch + 1) * 127.5).clamp(min=1.0) / TARGET_WHITE
    return F.conv2d(-torch.log10(light), unmix.to(light.device))


def _places(target: Tensor, step: int) -> Tensor:
    """Draw positions of the target shrunk by `step`, stained ones more often: (P,) indices."""
    dab = F.avg_pool2d(dab_density(target), step).flatten()
    chances = 1.0 + STAINED_FACTOR * (dab / 0.3).clamp(0.0, 1.0)
    return torch.multinomial(chances, min(POSITIONS, len(chances)), generator=torch.Generator().manual_seed(0))


def _convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [part for part in module.modules() if isinstance(part, nn.Conv2d)]


def _tensor(layer: nn.Module, name: str) -> Tensor:
    """Return a parameter or buffer that the old form of spectral norm adds under this name."""
    return cast(Tensor, getattr(layer, name))


def _run(layers: Sequence[nn.Module], batch: Tensor) -> Tensor:
    for layer in layers:
        batch = layer(batch)
    return batch


def _settle(layer: nn.Module, *, keep_scale: bool = False) -> None:
    """Iterate u and v until they belong to the weights; `keep_scale` makes evaluation use the weights as they are."""
    matrix = _tensor(layer, "weight_orig").flatten(1)
    u, v = _tensor(layer, "weight_u"), _tensor(layer, "weight_v")
    for _ in range(30):
        v.copy_(F.normalize(matrix.T @ u, dim=0))
        u.copy_(F.normalize(matrix @ v, dim=0))
    if keep_scale:
        u.div_(torch.dot(u, matrix @ v))


def _pack(layers: Sequence[nn.Module]) -> None:
    """Make the encoder carry every pixel, and the residual blocks leave the packed channels alone."""
    first, second, third = (layers[index] for index in _ENCODER)
    signals = [[(colour, 1.0)] for colour in range(3)]
    signals = _carry(first, signals, ((0, 0),))
    signals = _carry(second, signals, SHIFTS)
    _carry(third, signals, SHIFTS)
    for block in layers[_FIRST_BLOCK : _FIRST_BLOCK + _BLOCKS]:
        last = _convolutions(block)[1]
        _tensor(last, "weight_orig")[:_PACKED] = (
            0.0  # instance norm of nothing is nothing: the block adds nothing there
        )
        _settle(last)


def _carry(
    layer: nn.Module, signals: Sequence[Sequence[tuple[int, float]]], shifts: Sequence[tuple[int, int]]
) -> list[list[tuple[int, float]]]:
    """Give every signal one pair of channels per shift; return how to read the new signals off those channels."""
    weight = _tensor(layer, "weight_orig")
    middle, channel = weight.shape[2] // 2, 0
    carried: list[list[tuple[int, float]]] = []
    for dy, dx in shifts:
        for signal in signals:
            weight[channel : channel + 2] = 0.0
            for source, factor in signal:
                weight[channel, source, middle + dy, middle + dx] = factor
                weight[channel + 1, source, middle + dy, middle + dx] = -factor
            carried.append([(channel, 1.0), (channel + 1, -1.0)])
            channel += 2
    _settle(layer)
    return carried


def _phases(target: Tensor) -> Tensor:
    """Return the four pixels of every 2 x 2 block as channels."""
    return torch.cat([target[:, :, dy::2, dx::2] for dy, dx in SHIFTS], dim=1)


def _solve(
    layer: nn.Module,
    features: Sequence[Tensor],
    wanted: Sequence[Tensor],
    places: Sequence[Tensor],
    *,
    last: bool = False,
) -> None:
    """Fit a convolution by ridge regression; before a ReLU every output gets a channel of each sign."""
    weight = _tensor(layer, "weight_orig")
    inputs, kernel = weight.shape[1], weight.shape[2]
    outputs = wanted[0].shape[1]
    gram = torch.zeros(inputs * kernel**2 + 1, inputs * kernel**2 + 1)
    product, count = torch.zeros(len(gram), outputs), 0
    for part, goal, chosen in zip(features, wanted, places, strict=True):
        # The last convolution pads by reflection in a layer of its own, so its features come padded.
        columns = F.unfold(part, kernel, padding=0 if last else kernel // 2)[0][:, chosen]  # (C k k, P)
        rows = torch.cat([columns, torch.ones(1, len(chosen))])
        values = goal.flatten(2)[0]
        if not last:  # instance norm follows: only the shape within one image counts
            values = (values - values.mean(1, keepdim=True)) / (values.std(1, keepdim=True) + 0.05)
        values = values[:, chosen]
        gram += rows @ rows.T
        product += rows @ values.T
        count += len(chosen)
    solution = torch.linalg.solve(gram + RIDGE * count * torch.eye(len(gram)), product).T  # (outputs, C k k + 1)
    solved = solution[:, :-1].reshape(outputs, inputs, kernel, kernel)
    if last:
        weight.copy_(solved)
        _tensor(layer, "bias").copy_(solution[:, -1])
    else:
        weight[: 2 * outputs] = torch.stack([solved, -solved], dim=1).flatten(0, 1)
    _settle(layer, keep_scale=last)
