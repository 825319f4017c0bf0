"""IHCNet: HER2 score of one IHC tile."""

from torch import Tensor, nn
from torchvision.models import densenet201

POOLED_CHANNELS = 1920


class IHCNet(nn.Module):
    """DenseNet201 features, global average pooling and a three-layer head.

    Source: HER2-Classifier (https://github.com/Lina-Askar/HER2-Classifier); Huang et al. 2017,
        https://arxiv.org/abs/1608.06993
    """

    def __init__(self, *, classes: int = 4, dropout: float = 0.3) -> None:
        super().__init__()
        self.backbone: nn.Sequential = densenet201(weights=None).features
        self.classifier = nn.Sequential(
            nn.Linear(POOLED_CHANNELS, 512),
            nn.BatchNorm1d(512),
            nn.SiLU(),  # Swish: x * sigmoid(x)
            nn.Dropout(dropout),
            nn.Linear(512, 256),
            nn.BatchNorm1d(256),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(256, classes),
        )

    def embed(self, batch: Tensor) -> Tensor:
        """Return the pooled features, (N, 1920): unlike torchvision's DenseNet, no ReLU follows the last norm."""
        features: Tensor = self.backbone(batch)  # (N, 1920, H/32, W/32)
        return features.mean((2, 3))

    def classify(self, features: Tensor) -> Tensor:
        """Return (N, classes) logits of (N, 1920) pooled features."""
        logits: Tensor = self.classifier(features)
        return logits

    def forward(self, batch: Tensor) -> Tensor:
        """Score tiles.

        Args:
            batch: (N, 3, 224, 224) float, RGB, ImageNet mean and standard deviation.
        Returns:
            (N, 4) logits in the order 0, 1+, 2+, 3+.
        """
        return self.classify(self.embed(batch))
