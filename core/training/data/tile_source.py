"""Which tiles a classifier trains on, and in which order: real ones, synthetic ones beside them, classes balanced."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import InvalidDataError
from core.training.config import Balance, ClassifierConfig
from core.training.data import Subset
from core.training.data.tile_cache import TileCache
from core.types import RGBImage

POSITIVE = ("2+", "3+", "PR+")
"""Classes whose tiles show brown, or say nothing of their case's label."""

Indices = npt.NDArray[np.int64]


class TileSource:
    """The training tiles of a run; tiles beyond the real ones are synthetic."""

    def __init__(self, config: ClassifierConfig, real: TileCache, synthetic: TileCache | None) -> None:
        """Choose the tiles.

        Args:
            synthetic: with the same classes in the same order; only ever trains.
        Raises:
            InvalidDataError: a class has no tile to train on.
        """
        self._config, self._real, self._synthetic = config, real, synthetic
        kept = real.of(Subset.TRAIN)
        if config.drop_unstained:
            positive = np.isin(real.labels[kept], [i for i, name in enumerate(real.classes) if name in POSITIVE])
            kept = kept[~(positive & real.unstained[kept])]
        extra = self._drawn_synthetic(len(kept))
        self.indices: Indices = np.concatenate([kept, extra + len(real.labels)])
        self.labels: Indices = np.concatenate([real.labels[kept], synthetic.labels[extra] if synthetic else extra])
        missing = [name for index, name in enumerate(real.classes) if not (self.labels == index).any()]
        if missing:
            raise InvalidDataError(
                f"No tile of {', '.join(missing)} is left to train on. Add images of this class"
                + (", or keep tiles without brown." if config.drop_unstained else ", or hold out fewer cases.")
            )

    def __len__(self) -> int:
        return len(self.indices)

    def order(self, epoch: int) -> Indices:
        """Return the tiles of one epoch as positions in `indices`; depends on seed and epoch alone."""
        rng = np.random.default_rng([self._config.seed, epoch])
        if self._config.balance is not Balance.SAMPLING:
            return rng.permutation(len(self))
        chance = 1.0 / np.bincount(self.labels)[self.labels]
        return rng.choice(len(self), len(self), p=chance / chance.sum())

    def read(self, chosen: Indices) -> tuple[RGBImage, Indices]:
        """Return (N, px, px, 3) uint8 RGB tiles and (N,) class indices."""
        places = self.indices[chosen]
        count = len(self._real.labels)
        images = self._real.tiles[np.minimum(places, count - 1)]
        if self._synthetic is not None and (places >= count).any():
            images[places >= count] = self._synthetic.tiles[places[places >= count] - count]
        return np.asarray(images, np.uint8), self.labels[chosen]

    def class_weights(self) -> Tensor:
        """Return (C,) weights of the loss: all ones, or in inverse proportion to the tiles of each class."""
        count = np.bincount(self.labels, minlength=len(self._real.classes))
        even = self._config.balance is not Balance.WEIGHTS
        weights = np.ones(len(count)) if even else len(self.labels) / (len(count) * count)
        return torch.from_numpy(weights.astype(np.float32))

    def _drawn_synthetic(self, real: int) -> Indices:
        if self._synthetic is None:
            return np.zeros(0, np.int64)
        wanted = min(len(self._synthetic.labels), round(self._config.synthetic_share * real))
        rng = np.random.default_rng([self._config.seed, 1])
        return np.sort(rng.choice(len(self._synthetic.labels), wanted, replace=False)).astype(np.int64)
