"""The networks that the classifier recipes train, and where their weights start."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from core.errors import InvalidOptionError, WeightsError
from core.models.card import ModelCard
from core.models.ihcnet import IHCNet
from core.models.manifest import read_manifest
from core.models.registry import get_card
from core.models.simple_cnn import SimpleCNN
from core.models.weights import read_state_dict
from core.training.config import ClassifierConfig, IhcnetConfig, SimpleCnnConfig, VitConfig


class TiedSimpleCNN(nn.Module):
    """SimpleCNN whose first linear layer weighs every position alike: the mean over the tile, then 64 weights.

    A few hundred tiles can't teach 8 million weights that a stained nucleus may lie anywhere.
    """

    def __init__(self, *, classes: int = 2) -> None:
        super().__init__()
        self.network = SimpleCNN(classes=classes)
        self.tied = nn.Linear(self.network.conv2.out_channels, self.network.fc1.out_features)
        self.network.fc1.requires_grad_(False)

    def embed(self, batch: Tensor) -> Tensor:
        """Return (N, 128) features of (N, 3, 128, 128)."""
        network = self.network
        features = network.pool(network.relu(network.conv1(batch)))
        features = network.pool(network.relu(network.conv2(features)))
        embedded: Tensor = network.relu(self.tied(features.mean(dim=(2, 3))))
        return embedded

    def classify(self, features: Tensor) -> Tensor:
        """Return (N, classes) logits of (N, 128) features."""
        return self.network.classify(features)

    def forward(self, batch: Tensor) -> Tensor:
        """Return (N, classes) logits of (N, 3, 128, 128)."""
        return self.classify(self.embed(batch))

    @torch.no_grad()
    def untied(self) -> SimpleCNN:
        """Return a plain network that gives the same answers."""
        plain = SimpleCNN(classes=self.network.fc2.out_features)
        plain.load_state_dict(self.network.state_dict())
        weight = self.tied.weight  # (128, 64)
        positions = plain.fc1.in_features // weight.shape[1]
        plain.fc1.weight.copy_((weight / positions).repeat_interleave(positions, dim=1))
        plain.fc1.bias.copy_(self.tied.bias)
        return plain.eval()


class VitClassifier(nn.Module):
    """A timm backbone without its head, and IHCNet's classifier behind it."""

    def __init__(self, backbone: str, *, classes: int, pretrained: bool = False) -> None:
        super().__init__()
        import timm  # seconds to import, and needed here only

        if not timm.is_model(backbone):
            close = ", ".join(timm.list_models(f"*{backbone.split('_')[0]}*")[:5]) or "vit_tiny_patch16_224"
            raise InvalidOptionError(f"timm has no backbone {backbone!r}. Try one of: {close}.")
        self.backbone: nn.Module = timm.create_model(backbone, pretrained=pretrained, num_classes=0)
        head = IHCNet(classes=classes).classifier
        head[0] = nn.Linear(self.backbone.num_features, 512)
        self.classifier = head

    def embed(self, batch: Tensor) -> Tensor:
        """Return (N, F) pooled features of (N, 3, 224, 224)."""
        features: Tensor = self.backbone(batch)
        return features

    def classify(self, features: Tensor) -> Tensor:
        """Return (N, classes) logits of (N, F) pooled features."""
        logits: Tensor = self.classifier(features)
        return logits

    def forward(self, batch: Tensor) -> Tensor:
        """Return (N, classes) logits of (N, 3, 224, 224)."""
        return self.classify(self.embed(batch))


def card_of(config: ClassifierConfig) -> ModelCard:
    """Return the card whose input, tile and normalisation a recipe uses; ViTs take IHCNet's."""
    return get_card("simple_cnn" if isinstance(config, SimpleCnnConfig) else "ihcnet")


def build_classifier(config: ClassifierConfig, classes: int, weights_dir: Path) -> nn.Module:
    """Return the network with the weights it starts from.

    Raises:
        InvalidOptionError: the start is unknown or not on this machine.
        WeightsError: its file is unusable, or made for another network.
    """
    if isinstance(config, VitConfig):
        return _vit(config, classes)
    if isinstance(config, SimpleCnnConfig) and config.tied:
        if config.start != "random":
            raise InvalidOptionError("A tied SimpleCNN starts from random weights. Set start to random, or tied off.")
        return TiedSimpleCNN(classes=classes)
    network = SimpleCNN(classes=classes) if isinstance(config, SimpleCnnConfig) else IHCNet(classes=classes)
    if config.start == "imagenet" and isinstance(config, IhcnetConfig):
        _load(network, {f"backbone.{key}": value for key, value in _imagenet_densenet().items()}, "ImageNet")
    elif config.start == "bundled":
        entry = read_manifest(weights_dir).get(card_of(config).name)
        if entry is None:
            raise WeightsError(f"{card_of(config).title} has no bundled weights to start from. Set start to random.")
        _load(network, read_state_dict(entry.paths), "bundled")
    elif config.start != "random":
        _load(network, read_state_dict(Path(config.start)), config.start)
    return network


def published_layout(network: nn.Module) -> dict[str, Tensor]:
    """Return the state dict under the published names."""
    return (network.untied() if isinstance(network, TiedSimpleCNN) else network).state_dict()


def normalise(batch: Tensor, card: ModelCard) -> Tensor:
    """Bring (N, 3, H, W) RGB in [0, 1] to what the network expects."""
    mean, std = (torch.tensor(part, device=batch.device).view(1, 3, 1, 1) for part in (card.mean, card.std))
    return (batch - mean) / std


def _load(network: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Take over all tensors; only the last layer may differ, where there are other classes."""
    own = network.state_dict()
    last = [key for key in own if key.startswith(("classifier.8.", "fc2."))]
    taken = {key: value for key, value in state.items() if key not in last or value.shape == own[key].shape}
    if isinstance(network, IHCNet) and not any(key.startswith("classifier.") for key in taken):
        last = [key for key in own if key.startswith("classifier.")]
    wrong = sorted(
        key for key in own if key not in last and (key not in taken or taken[key].shape != own[key].shape)
    ) + sorted(set(taken) - set(own))
    if wrong:
        raise WeightsError(
            f"The start weights ({origin}) are of another network: {', '.join(wrong[:3])} do not fit. "
            "Choose weights of the same recipe, or start from random ones."
        )
    network.load_state_dict(taken, strict=False)  # what is left out is the last layer, as checked above


def _imagenet_densenet() -> dict[str, Tensor]:
    from torchvision.models import DenseNet201_Weights, densenet201

    weights = DenseNet201_Weights.IMAGENET1K_V1
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not file.is_file():
        raise InvalidOptionError(
            f"The ImageNet weights are not on this machine, and nothing is downloaded here. Put {file.name} "
            f"into {file.parent}, or start from random or bundled weights."
        )
    return dict(densenet201(weights=weights).features.state_dict())


def _vit(config: VitConfig, classes: int) -> VitClassifier:
    if config.start == "random":
        return VitClassifier(config.backbone, classes=classes)
    if config.start != "imagenet":
        network = VitClassifier(config.backbone, classes=classes)
        if config.start == "bundled":
            raise InvalidOptionError("There are no bundled weights of timm backbones. Set start to random or imagenet.")
        _load(network, read_state_dict(Path(config.start)), config.start)
        return network
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True
    try:
        return VitClassifier(config.backbone, classes=classes, pretrained=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidOptionError(
            f"timm has no ImageNet weights of {config.backbone} on this machine, and nothing is downloaded here. "
            "Start from random weights, or name a weights file."
        ) from error
