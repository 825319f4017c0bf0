"""The real tiles that a GAN learns from, and those that it is held against."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.config import get_settings
from core.models.registry import get_card
from core.training.batch_augment import turn
from core.training.config import MedSynGanConfig
from core.training.data import DataSet, Subset
from core.training.data.tile_cache import TileCache, build_cache
from core.training.gan.judges import TileJudge, as_batch, balanced, train_judge
from core.training.gan.start import Components
from core.types import Progress

Batch = tuple[Tensor, Tensor]

WHITE = 240.0
"""Background that all tiles are brought to, as for the PR classifier."""

JUDGED = 512
"""Held-out tiles at most, and as many samples, behind the figures of an epoch."""

FITTED = 3000
"""Tiles at most that principal components are fitted to."""


class RealTiles:
    """Tiles in memory-mapped cache, drawn so that every class is as frequent as the others."""

    def __init__(
        self,
        config: MedSynGanConfig,
        data: DataSet,
        device: torch.device,
        progress: Progress,
        *,
        tiles: TileCache | None = None,
    ) -> None:
        """Read the tiles of a data set that was split, or find them read already.

        Args:
            tiles: of the data set, where the caller has them already.
        """
        self.config, self.device = config, device
        card = get_card("medsyngan_g")
        self.cache: TileCache = tiles or build_cache(
            data,
            get_settings().data_dir / "cache" / "tiles",
            input_px=card.input_px,
            tile_um=config.tile_um or card.tile_um,
            mpp=config.mpp,
            white_level=WHITE,
            progress=progress,
        )
        self.classes = len(self.cache.classes)
        self._rows = self.cache.of(Subset.TRAIN)
        held_out = self.cache.of(Subset.VAL)
        chosen = np.random.default_rng(0).permutation(held_out if len(held_out) else self._rows)[:JUDGED]
        self.judged: npt.NDArray[np.int64] = np.sort(chosen)

    @property
    def batch_size(self) -> int:
        """Tiles per batch; a small data set is not drawn twice for one."""
        return min(self.config.batch_size, max(2, len(self._rows)))

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return self.config.steps_per_epoch or max(1, math.ceil(len(self._rows) / self.batch_size))

    def batches(self, seed: int) -> Iterator[Batch]:
        """Yield an epoch's batches: (N, 3, 128, 128) in [-1, 1], flipped and turned, and (N,) class indices."""
        rng, random = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        labels = self.cache.labels[self._rows]
        for _ in range(self.steps):
            chosen = balanced(labels, self.batch_size, rng)
            images = as_batch(self.cache.tiles[self._rows[chosen]], self.device)
            yield turn(images, random), torch.from_numpy(labels[chosen]).to(self.device)

    def train_guide(self) -> TileJudge:
        """Train the classifier that pulls samples to their class."""
        tiles, labels = self.cache.tiles[self._rows], self.cache.labels[self._rows]
        return train_judge(tiles, labels, classes=self.classes, device=self.device, seed=self.config.seed)

    def components(self) -> Components:
        """Find the principal components of the training tiles."""
        rows = np.random.default_rng(self.config.seed).permutation(self._rows)[:FITTED]
        labels = torch.from_numpy(self.cache.labels[rows]).to(self.device)
        images = as_batch(self.cache.tiles[rows], self.device)
        return Components(images, labels, classes=self.classes, seed=self.config.seed)
