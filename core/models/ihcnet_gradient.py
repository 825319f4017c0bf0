"""IHCNet's forward and backward pass written out as one function, so that an inference library can run both.

Automatic differentiation needs torch; a graph of plain convolutions does not. The layers are those of
`torchvision.models.densenet`, whose backward pass is short: a dense layer's convolutions transposed, the masks of its
ReLUs, and the scale of its batch norms, which are constants in evaluation mode.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.ihcnet import IHCNet

BLOCKS = 4
GRADIENT_OUTPUTS = (
    "logits",
    "conv0",
    *(f"denseblock{index}" for index in range(1, BLOCKS + 1)),
    "gradient of pool0",
    *(f"gradient of denseblock{index}" for index in range(1, BLOCKS + 1)),
)
"""What `IHCNetGradient` returns, in order."""


def affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return scale and shift of a batch norm in evaluation mode, (C,) each: norm(x) = x * scale + shift."""
    epsilon = cast(float, norm.eps)
    scale = norm.get_parameter("weight") / torch.sqrt(norm.get_buffer("running_var") + epsilon)
    return scale, norm.get_parameter("bias") - norm.get_buffer("running_mean") * scale


class _Transition(nn.Module):
    """Norm, ReLU and 1 x 1 convolution: half of a dense layer, and all of a transition but its pooling."""

    scale: Tensor
    shift: Tensor
    weight: Tensor
    transposed: Tensor

    def __init__(self, norm: nn.Module, conv: nn.Module) -> None:
        super().__init__()
        scale, shift = affine(norm)
        weight = conv.get_parameter("weight")
        self.register_buffer("scale", scale.view(1, -1, 1, 1).clone())
        self.register_buffer("shift", shift.view(1, -1, 1, 1).clone())
        self.register_buffer("weight", weight.clone())
        self.register_buffer("transposed", weight.transpose(0, 1).contiguous())

    def activated(self, batch: Tensor) -> Tensor:
        return F.relu(batch * self.scale + self.shift)

    def backward(self, gradient: Tensor, batch: Tensor) -> Tensor:
        """Return the gradient of the input, given that of the convolution's output.

        Where the ReLU was open is computed once more from the input: keeping it for all layers costs 1 GB.
        """
        return _masked(F.conv2d(gradient, self.transposed) * self.scale, batch * self.scale + self.shift)


class _DenseLayer(_Transition):
    """One dense layer: norm, ReLU, 1 x 1 convolution, norm (folded into it), ReLU, 3 x 3 convolution."""

    bias: Tensor
    weight2: Tensor
    transposed2: Tensor

    def __init__(self, layer: nn.Module) -> None:
        super().__init__(layer.get_submodule("norm1"), layer.get_submodule("conv1"))
        scale, shift = affine(layer.get_submodule("norm2"))
        weight2 = layer.get_submodule("conv2").get_parameter("weight")
        self.weight = self.weight * scale.view(-1, 1, 1, 1)
        self.transposed = self.weight.transpose(0, 1).contiguous()
        self.register_buffer("bias", shift.clone())
        self.register_buffer("weight2", weight2.clone())
        self.register_buffer("transposed2", weight2.transpose(0, 1).flip(2, 3).contiguous())

    def run(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return the second ReLU's output and the new channels."""
        second = F.relu(F.conv2d(self.activated(batch), self.weight, self.bias))
        return second, F.conv2d(second, self.weight2, padding=1)

    def backward_layer(self, gradient: Tensor, batch: Tensor, second: Tensor) -> Tensor:
        """Return the gradient of the layer's input, given that of its new channels."""
        return self.backward(_masked(F.conv2d(gradient, self.transposed2, padding=1), second), batch)


class _Block(nn.Module):
    """A dense block, forward and backward."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_DenseLayer(layer) for layer in block.children())

    def run(self, features: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the block's output and what its backward pass needs beside it."""
        kept = []
        for layer in self.layers:
            second, new = cast(_DenseLayer, layer).run(features)
            kept.append(second)
            features = torch.cat([features, new], dim=1)
        return features, kept

    def backward(self, gradient: Tensor, features: Tensor, kept: list[Tensor]) -> Tensor:
        """Return the gradient of the block's input, given that of its output, and the output itself.

        The input of every layer is the first channels of the output.
        """
        for layer, second in reversed(list(zip(self.layers, kept, strict=True))):
            dense = cast(_DenseLayer, layer)
            channels = dense.scale.shape[1]
            new = dense.backward_layer(gradient[:, channels:], features[:, :channels], second)
            gradient = gradient[:, :channels] + new
        return gradient


class _Head(nn.Module):
    """The classifier, with the derivative of one weighted sum of its logits."""

    def __init__(self, classifier: nn.Sequential) -> None:
        super().__init__()
        self.first = _folded(classifier[0], classifier[1])
        self.second = _folded(classifier[4], classifier[5])
        self.third = cast(nn.Linear, classifier[8])

    def forward(self, pooled: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (N, C) and the gradient (N, 1920) of their sum weighted by `target` (N, C)."""
        first = self.first(pooled)
        second = self.second(F.silu(first))
        logits: Tensor = self.third(F.silu(second))
        gradient = (target @ self.third.weight) * _silu_slope(second)
        gradient = (gradient @ self.second.weight) * _silu_slope(first)
        return logits, gradient @ self.first.weight


def _folded(linear: nn.Module, norm: nn.Module) -> nn.Linear:
    """Return a linear layer that includes the batch norm behind it."""
    scale, shift = affine(norm)
    weight, bias = linear.get_parameter("weight"), linear.get_parameter("bias")
    folded = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
    folded.weight.copy_(weight * scale.view(-1, 1))
    folded.bias.copy_(bias * scale + shift)
    return folded.requires_grad_(False)


class IHCNetGradient(nn.Module):
    """IHCNet in evaluation mode, with the gradients of one logit with respect to its dense blocks."""

    scale: Tensor
    shift: Tensor

    def __init__(self, network: IHCNet) -> None:
        super().__init__()
        backbone = network.backbone
        with torch.no_grad():
            self.stem = backbone[:4]  # conv0, norm0, relu0, pool0
            self.blocks = nn.ModuleList(_Block(backbone.get_submodule(f"denseblock{i}")) for i in range(1, BLOCKS + 1))
            transitions = [backbone.get_submodule(f"transition{i}") for i in range(1, BLOCKS)]
            self.transitions = nn.ModuleList(
                _Transition(part.get_submodule("norm"), part.get_submodule("conv")) for part in transitions
            )
            scale, shift = affine(backbone.get_submodule("norm5"))
            self.register_buffer("scale", scale.clone())
            self.register_buffer("shift", shift.clone())
            self.head = _Head(network.classifier)

    def forward(self, batch: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        """Run forward and backward.

        Args:
            batch: (N, 3, 224, 224) normalised RGB.
            target: (N, C) float, 1 at the class that is explained, 0 elsewhere.
        Returns:
            the tensors named in `GRADIENT_OUTPUTS`.
        """
        blocks = [cast(_Block, block) for block in self.blocks]
        transitions = [cast(_Transition, transition) for transition in self.transitions]
        conv0 = self.stem[0](batch)
        features = self.stem[3](F.relu(self.stem[1](conv0)))
        outputs, kept = [], []
        for index, block in enumerate(blocks):
            features, needed = block.run(features)
            outputs.append(features)
            kept.append(needed)
            if index < BLOCKS - 1:
                half = transitions[index]
                features = F.avg_pool2d(F.conv2d(half.activated(features), half.weight), 2)
        logits, gradient = self.head(features.mean((2, 3)) * self.scale + self.shift, target)
        area = features.shape[2] * features.shape[3]
        gradient = (gradient * self.scale / area)[:, :, None, None].expand_as(features)
        gradients = [gradient]
        for index in reversed(range(BLOCKS)):
            gradient = blocks[index].backward(gradient, outputs[index], kept[index])
            if index > 0:
                # Average pooling spreads a quarter of the gradient over each of four pixels.
                spread = F.interpolate(gradient / 4, scale_factor=2.0, mode="nearest")
                gradient = transitions[index - 1].backward(spread, outputs[index - 1])
            gradients.append(gradient)
        *blocks_backward, pool0 = gradients
        return logits, conv0, *outputs, pool0, *reversed(blocks_backward)


def _masked(gradient: Tensor, inputs: Tensor) -> Tensor:
    """Let the gradient pass where a ReLU of `inputs` was open."""
    return torch.where(inputs > 0, gradient, torch.zeros_like(gradient))


def _silu_slope(inputs: Tensor) -> Tensor:
    share = torch.sigmoid(inputs)
    return share * (1 + inputs * (1 - share))
