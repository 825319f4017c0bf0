"""MedSynGAN: PR images from noise and a label, and the discriminator that trains it."""

import torch
from torch import Tensor, nn

NOISE_DIM = 100
IMAGE_PX = 128
_BASE_PX = 16


class Generator(nn.Module):
    """Noise and a class label to an RGB image."""

    def __init__(self, *, classes: int = 2, noise_dim: int = NOISE_DIM, label_dim: int = 100, width: int = 64) -> None:
        super().__init__()
        self.width = width
        self.label_embedding = nn.Embedding(classes, label_dim)
        self.project = nn.Linear(noise_dim + label_dim, 4 * width * _BASE_PX * _BASE_PX)
        self.upsample = nn.Sequential(
            nn.ConvTranspose2d(4 * width, 2 * width, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 3, kernel_size=4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Make images.

        Args:
            noise: (N, 100) float, standard normal.
            labels: (N,) int64 class indices, 0 for PR- and 1 for PR+.
        Returns:
            (N, 3, 128, 128) float RGB in [-1, 1].
        """
        return self.paint(noise, self.label_embedding(labels))

    def paint(self, noise: Tensor, embedded: Tensor) -> Tensor:
        """Make images of embedded labels, (N, 100) float, which may lie between those of the classes."""
        code = torch.cat([noise, embedded], dim=1)  # (N, 200)
        base = self.project(code).view(-1, 4 * self.width, _BASE_PX, _BASE_PX)
        images: Tensor = self.upsample(base)
        return images


class Discriminator(nn.Module):
    """Probability that an image of the stated class is real."""

    def __init__(self, *, classes: int = 2, width: int = 64) -> None:
        super().__init__()
        self.label_embedding = nn.Embedding(classes, IMAGE_PX * IMAGE_PX)  # one extra image channel
        self.features = nn.Sequential(
            nn.Conv2d(4, width, kernel_size=4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, kernel_size=4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, kernel_size=4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        )
        self.classifier = nn.Linear(4 * width * _BASE_PX * _BASE_PX, 1)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Judge images.

        Args:
            images: (N, 3, 128, 128) float RGB in [-1, 1].
            labels: (N,) int64 class indices.
        Returns:
            (N,) probability of being real, in (0, 1).
        """
        channel = self.label_embedding(labels).view(-1, 1, IMAGE_PX, IMAGE_PX)
        features = self.features(torch.cat([images, channel], dim=1))  # (N, 256, 16, 16)
        return torch.sigmoid(self.classifier(features.flatten(1)).squeeze(1))
