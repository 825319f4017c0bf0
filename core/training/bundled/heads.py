"""Fit IHCNet's published classifier on pooled features of weakly labelled tiles; cheap enough for every fold."""

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from core.models.ihcnet import IHCNet
from core.quantify.membrane_features import FEATURES
from core.training.bundled.pretrain import to_batch
from core.types import RGBImage

UNINFORMATIVE_BROWN_OD = 0.08
"""A tile without this much brown says nothing about why its case is 2+ or 3+, and is left out there."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class HeadConfig:
    """Settings of one head.

    Attributes:
        steps, batch: batches of real tiles, and `simulated` crops beside them in each.
        misfit_weight: chance of a case whose label does not fit its picture, relative to the others.
        smoothing: share of the target given to other classes: the labels are weak.
    """

    steps: int = 160
    batch: int = 96
    simulated: int = 32
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    smoothing: float = 0.1
    misfit_weight: float = 0.3
    seed: int = 0


@dataclass(frozen=True)
class Examples:
    """Tiles as pooled features.

    Attributes:
        vectors: (N, 1920) pooled features.
        labels: (N,) class index of the case.
        chance: (N,) how often a tile is drawn, relative to the others.
        case: (N,) index of the case.
    """

    vectors: Vectors
    labels: npt.NDArray[np.int64]
    chance: npt.NDArray[np.float64]
    case: npt.NDArray[np.int64]

    def without(self, case: int) -> "Examples":
        """All tiles of the other cases."""
        kept = self.case != case
        return Examples(self.vectors[kept], self.labels[kept], self.chance[kept], self.case[kept])


def fresh_head(config: HeadConfig) -> nn.Sequential:
    """Return IHCNet's classifier with random weights drawn from the configuration's seed."""
    torch.manual_seed(config.seed)
    return IHCNet().classifier


@torch.inference_mode()
def embed(network: IHCNet, images: RGBImage, *, batch: int = 16) -> Vectors:
    """Return (N, 1920) pooled features of (N, 224, 224, 3) uint8 RGB tiles."""
    network.eval()
    found = []
    for start in range(0, len(images), batch):
        with torch.autocast("cpu", torch.bfloat16):
            pooled = network.embed(to_batch(list(images[start : start + batch])))
        found.append(pooled.float().numpy())
    return np.concatenate(found) if found else np.zeros((0, 1920), np.float32)


def informative(features: Vectors, label: int) -> npt.NDArray[np.bool_]:
    """Say which tiles (N, 9) can carry their case's label; all where none would be left."""
    if label < 2:
        return np.ones(len(features), bool)
    brown = features[:, FEATURES.index("brown_p98")] >= UNINFORMATIVE_BROWN_OD
    return brown if brown.any() else np.ones(len(features), bool)


def fit_head(start: nn.Sequential, real: Examples, simulated: Examples, config: HeadConfig) -> nn.Sequential:
    """Fine-tune a copy of the pretrained classifier on features; classes and cases are drawn evenly."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    head = copy.deepcopy(start).train()
    optimizer = torch.optim.AdamW(head.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    chance = real.chance / np.bincount(real.case, real.chance)[real.case]  # every case alike
    for label in range(4):
        total = chance[real.labels == label].sum()
        chance[real.labels == label] /= np.sqrt(max(total, 1e-9))  # rare classes a little more often
    misfit = np.array([real.chance[real.case == case].max() for case in real.case])
    chance = chance * misfit / (chance * misfit).sum()
    for _ in range(config.steps):
        mine = rng.choice(len(chance), config.batch, p=chance)
        theirs = rng.integers(0, len(simulated.labels), config.simulated)
        vectors = torch.from_numpy(np.concatenate([real.vectors[mine], simulated.vectors[theirs]]))
        labels = torch.from_numpy(np.concatenate([real.labels[mine], simulated.labels[theirs]]))
        loss = functional.cross_entropy(head(vectors), labels, label_smoothing=config.smoothing)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return head.eval()


@torch.inference_mode()
def head_probs(head: nn.Sequential, vectors: Vectors, *, temperature: float = 1.0) -> Vectors:
    """Return (N, 4) probabilities of pooled features."""
    if len(vectors) == 0:
        return np.zeros((0, 4), np.float32)
    return np.asarray(functional.softmax(head.eval()(torch.from_numpy(vectors)) / temperature, dim=1).numpy())
