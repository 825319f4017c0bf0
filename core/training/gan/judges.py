"""Classifiers of real tiles that judge synthetic ones, or pull them to their class."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.training.batch_augment import turn

_WIDTHS = (32, 64, 128)
_POWER = 3
_RATE, _DECAY = 3e-3, 1e-3

STEPS = 400
"""Batches that a judge learns from."""


class TileJudge(nn.Module):
    """Names the class of a tile, wherever in it the evidence lies, from the tile at half its size.

    Neither single pixels nor a single place decide: a generator would learn to paint just those.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *_WIDTHS), _WIDTHS, strict=False):
            layers += [nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(0.1)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(_WIDTHS[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, classes) logits of (N, 3, H, W) RGB in [-1, 1]."""
        small = F.avg_pool2d(images, 2).contiguous(memory_format=torch.channels_last)
        features = self.features(small).float().clamp_min(0)
        # Between mean and largest value: one stained nucleus counts, one odd spot less.
        power = (features**_POWER).mean(dim=(2, 3)).clamp_min(1e-6) ** (1 / _POWER)
        logits: Tensor = self.classifier(power)
        return logits


def as_batch(tiles: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
    """Bring (N, H, W, 3) uint8 tiles to (N, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(tiles)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def balanced(labels: npt.NDArray[np.int64], batch: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw rows so that every class that occurs is as frequent as the others."""
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    chosen = rng.integers(len(groups), size=batch)
    return np.array([groups[k][rng.integers(len(groups[k]))] for k in chosen], np.int64)


def train_judge(
    tiles: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    *,
    classes: int,
    device: torch.device,
    batch: int = 32,
    seed: int = 0,
) -> TileJudge:
    """Train a classifier on real tiles; colours, noise and sharpness are varied, so that it looks at the stain.

    Args:
        tiles: (N, 128, 128, 3) uint8 RGB.
        labels: (N,) class indices.
    """
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        judge = TileJudge(classes).to(device).train()
        optimizer = torch.optim.AdamW(judge.parameters(), lr=_RATE, weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=STEPS)
        random = torch.Generator().manual_seed(seed)
        for rows in _rows(labels, batch, rng):
            images = _varied(turn(as_batch(tiles[rows], device), random))
            with torch.autocast(device.type, torch.bfloat16):
                logits = judge(images)
            truth = torch.from_numpy(labels[rows]).to(device)
            loss = F.cross_entropy(logits.float(), truth, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return judge.eval().requires_grad_(False)


@torch.inference_mode()
def name_classes(judge: nn.Module, tiles: npt.NDArray[np.uint8], *, device: torch.device) -> npt.NDArray[np.int64]:
    """Return the (N,) class indices that a judge gives (N, H, W, 3) uint8 tiles."""
    parts = [judge(as_batch(tiles[k : k + 64], device)).argmax(dim=1).cpu().numpy() for k in range(0, len(tiles), 64)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _rows(labels: npt.NDArray[np.int64], batch: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    return (balanced(labels, batch, rng) for _ in range(STEPS))


def _varied(images: Tensor) -> Tensor:
    """Change each channel's optical density a little, add noise, blur every second batch."""
    count, device = len(images), images.device
    light = ((images + 1) / 2).clamp(0.004, 1)
    power = 1 + 0.2 * torch.randn(count, 1, 1, 1, device=device) + 0.05 * torch.randn(count, 3, 1, 1, device=device)
    images = light ** power.clamp(0.3, 2) * 2 - 1
    if torch.rand(()) < 0.5:
        images = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return images + 0.05 * torch.rand(count, 1, 1, 1, device=device) * torch.randn_like(images)
