"""SimpleCNN: PR status of one IHC tile."""

from torch import Tensor, nn


class SimpleCNN(nn.Module):
    """Two convolution blocks and two linear layers over a 128 x 128 tile."""

    def __init__(self, *, classes: int = 2) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        # Not in place: the heat map of a convolution reads what the convolution returned.
        self.relu = nn.ReLU(inplace=False)
        self.fc1 = nn.Linear(64 * 32 * 32, 128)
        self.fc2 = nn.Linear(128, classes)

    def embed(self, batch: Tensor) -> Tensor:
        """Return (N, 128) features of (N, 3, 128, 128): what the last layer sees."""
        features = self.pool(self.relu(self.conv1(batch)))  # (N, 32, 64, 64)
        features = self.pool(self.relu(self.conv2(features)))  # (N, 64, 32, 32)
        embedded: Tensor = self.relu(self.fc1(features.flatten(1)))
        return embedded

    def classify(self, features: Tensor) -> Tensor:
        """Return (N, classes) logits of (N, 128) features."""
        logits: Tensor = self.fc2(features)
        return logits

    def forward(self, batch: Tensor) -> Tensor:
        """Score tiles.

        Args:
            batch: (N, 3, 128, 128) float, RGB.
        Returns:
            (N, 2) logits in the order PR-, PR+.
        """
        return self.classify(self.embed(batch))
