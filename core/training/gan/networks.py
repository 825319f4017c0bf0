"""What a GAN's training adds to the published networks, and how it is taken away again when weights are written."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from core.models.medsyngan import IMAGE_PX, Discriminator, Generator


class Critic(nn.Module):
    """The published discriminator up to its logit, with what may help it while it is trained."""

    def __init__(self, discriminator: Discriminator, *, spectral_norm: bool, tied: bool) -> None:
        """Wrap a discriminator.

        Args:
            spectral_norm: bound every layer's gain by 1 (Miyato et al. 2018, https://arxiv.org/abs/1802.05957); not
                that of a tied last layer, whose mean over all positions is small already.
            tied: the last layer weighs every position alike, so that a few hundred tiles can't be learned by heart, and
                every place is judged on its own (Isola et al. 2017, https://arxiv.org/abs/1611.07004).
        """
        super().__init__()
        self.discriminator = discriminator
        channels = discriminator.classifier.in_features // _positions(discriminator)
        self.tied = nn.Linear(channels, 1) if tied else None
        if tied:
            self._start()
        self._bounded: list[nn.Module] = []
        if spectral_norm:
            self._bounded = [layer for layer in discriminator.features if isinstance(layer, nn.Conv2d)]
            if self.tied is None:
                self._bounded.append(discriminator.classifier)
            for layer in self._bounded:
                parametrizations.spectral_norm(layer)

    @torch.no_grad()
    def _start(self) -> None:
        """Start with layers that pass on what they see, and a label that doesn't drown the image."""
        self.discriminator.label_embedding.weight.mul_(0.1)
        for layer in self.discriminator.features:
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                nn.init.kaiming_normal_(layer.weight, a=0.2)
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return logits of being real; arguments as the discriminator's.

        Returns:
            (N, 1); where the last layer is tied (N, 256), one for each place: the published answer is of their mean.
        """
        network = self.discriminator
        channel = network.label_embedding(labels).view(-1, 1, IMAGE_PX, IMAGE_PX)
        batch = torch.cat([images, channel], dim=1).contiguous(memory_format=torch.channels_last)
        with parametrize.cached():
            with torch.autocast(images.device.type, enabled=False):
                for layer in self._bounded:  # the power iteration needs float32
                    _ = layer.weight
            features = network.features(batch)  # (N, 4 width, 16, 16)
            logits: Tensor = (
                network.classifier(features.flatten(1))
                if self.tied is None
                else self.tied(features.flatten(2).transpose(1, 2)).squeeze(2)
            )
        return logits.float()

    @torch.no_grad()
    def plain(self) -> Discriminator:
        """Return the published network that gives the same answers."""
        own, training = self.discriminator, self.training
        self.eval()  # the bounds stay as they are
        weights = {f"label_embedding.{name}": value for name, value in own.label_embedding.state_dict().items()}
        for name, layer in own.named_modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                weights |= {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}
        if self.tied is not None:
            shared = self.tied.weight / _positions(own)
            weights["classifier.weight"] = shared.repeat_interleave(_positions(own), dim=1)
            weights["classifier.bias"] = self.tied.bias
        self.train(training)
        first = weights["features.0.weight"]
        plain = Discriminator(classes=own.label_embedding.num_embeddings, width=len(first))
        plain.load_state_dict(weights, strict=True)
        return plain.eval()


def _positions(discriminator: Discriminator) -> int:
    """Places of the last convolution's map: as many inputs of the last layer belong to one channel."""
    last = [layer for layer in discriminator.features if isinstance(layer, nn.Conv2d)][-1]
    return discriminator.classifier.in_features // last.out_channels


class RunningMean:
    """The running mean of a network's weights; in the first steps it forgets faster, so that the start doesn't last."""

    def __init__(self, network: Generator, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: Generator) -> None:
        """Take one step's weights in."""
        self.steps += 1
        keep = min(self.decay, self.steps / (self.steps + 9.0))
        for mean, value in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(value.to(mean.dtype), 1.0 - keep)


def toggle(parameters: Iterable[nn.Parameter], *, on: bool) -> None:
    """Let gradients reach these parameters, or spare their computation."""
    for parameter in parameters:
        parameter.requires_grad_(on)


@torch.inference_mode()
def sample(generator: Generator, noise: Tensor, labels: Tensor, *, batch: int = 64) -> Tensor:
    """Make images of noise and labels: (N, 128, 128, 3) uint8 on the CPU."""
    parts = [
        ((generator(noise[k : k + batch], labels[k : k + batch]).float() + 1) * 127.5).round().clamp(0, 255).byte()
        for k in range(0, len(noise), batch)
    ]
    return torch.cat(parts).permute(0, 2, 3, 1).cpu().contiguous()
