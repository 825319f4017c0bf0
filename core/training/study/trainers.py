"""One generator, one classifier, one pool of synthetic images: what the parts of a study are made of."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from lightning.fabric import Fabric
from torch import Tensor

from core.config import get_settings
from core.models.medsyngan import NOISE_DIM, Generator
from core.models.registry import get_card
from core.training.checkpoint import load_checkpoint, save_checkpoint
from core.training.config import ClassifierConfig, MedSynGanConfig, StudyConfig
from core.training.data.items import DataSet
from core.training.data.tile_cache import TileCache, build_cache
from core.training.gan.networks import sample
from core.training.gan.tiles import WHITE
from core.training.recipes.classifier import ClassifierTask
from core.training.recipes.medsyngan import GanTask
from core.types import Progress, RGBImage, no_progress

Tick = Callable[[int, int, Tensor | float], None]
"""Told about every batch: how many are done, of how many, and the loss; may raise CancelledError."""

CHECKPOINT_BATCHES = 200
"""Batches between two checkpoints of a generator."""

Indices = npt.NDArray[np.int64]


def read_tiles(config: StudyConfig, data: DataSet, progress: Progress, *, generator: bool) -> TileCache:
    """Read all tiles of the data set, for the generator or for the classifier; what they are used for comes later."""
    card = get_card("medsyngan_g" if generator or config.classifier == "simple-cnn" else "ihcnet")
    return build_cache(
        data,
        get_settings().data_dir / "cache" / "tiles",
        input_px=card.input_px,
        tile_um=card.tile_um,
        mpp=config.mpp,
        white_level=WHITE if card.input_px == get_card("medsyngan_g").input_px else card.white_level,
        progress=progress,
    )


def train_classifier(
    config: ClassifierConfig,
    data: DataSet,
    tiles: TileCache,
    synthetic: TileCache | None,
    *,
    fabric: Fabric,
    tick: Tick,
) -> ClassifierTask:
    """Train one classifier for its number of batches; the last weights count, so that nothing chooses them.

    Args:
        tiles: of which only those that train are learnt from.
        synthetic: images beside them; None for real ones alone.
    """
    fabric.seed_everything(config.seed, verbose=False)
    task = ClassifierTask(config, data, fabric, no_progress, tiles=tiles, synthetic=synthetic)
    steps = task.steps()
    for epoch in range(1, config.epochs + 1):
        for step, batch in enumerate(task.batches(epoch), 1):
            loss = task.step(batch, epoch - 1 + step / steps)["loss"]
            tick((epoch - 1) * steps + step, config.epochs * steps, loss)
    return task


def train_generator(
    config: MedSynGanConfig, data: DataSet, tiles: TileCache, *, checkpoint: Path, fabric: Fabric, tick: Tick
) -> Generator:
    """Train one generator; the last running mean counts, so that no other image chooses it.

    It goes on from its checkpoint where one was left.
    """
    fabric.seed_everything(config.seed, verbose=False)
    task = GanTask(config, data, fabric, no_progress, tiles=tiles)
    state = load_checkpoint(checkpoint, recipe="study") or {"epoch": 0}
    if state["epoch"]:
        task.restore(state["task"])
    tick(0, config.epochs * task.steps(), 0.0)
    for epoch in range(int(state["epoch"]) + 1, config.epochs + 1):
        fabric.seed_everything(config.seed + 7919 * epoch, verbose=False)
        for step, batch in enumerate(task.batches(epoch), 1):
            loss = task.step(batch, epoch - 1 + step / task.steps())["loss"]
            tick((epoch - 1) * task.steps() + step, config.epochs * task.steps(), loss)
        save_checkpoint(checkpoint, {"recipe": "study", "epoch": epoch, "task": task.state()})
    return task.best_generator.eval()


class Draws:
    """An endless row of synthetic images of one class, the same for the same seed."""

    def __init__(self, generator: Generator, label: int, *, seed: int) -> None:
        self._generator, self._label = generator, label
        self._random = torch.Generator().manual_seed(seed * 100 + label)

    def take(self, count: int) -> RGBImage:
        """Return the next (count, 128, 128, 3) uint8 images."""
        device = next(self._generator.parameters()).device
        noise = torch.randn(count, NOISE_DIM, generator=self._random).to(device)
        labels = torch.full((count,), self._label, dtype=torch.int64, device=device)
        return np.asarray(sample(self._generator, noise, labels).numpy())


def as_tiles(images: RGBImage, labels: Indices, like: TileCache) -> TileCache:
    """Make synthetic images tiles that train, of the same size and classes as real ones."""
    from core.inference.classification import prepare_tiles
    from core.slides.tiling import Box

    px = like.tiles.shape[1]
    if len(images) and images.shape[1] != px:
        side = images.shape[1]
        images = np.concatenate([prepare_tiles(image, [Box(0, 0, side, side)], px) for image in images])
    return replace(
        like,
        tiles=images,
        labels=labels,
        items=np.arange(len(labels)),
        subsets=np.zeros(len(labels), np.int64),
        unstained=np.zeros(len(labels), np.bool_),
        cases=tuple("synthetic" for _ in labels),
        notes=(),
    )


def confusions_of(task: ClassifierTask, rows: Indices, progress: Progress = no_progress) -> dict[str, Indices]:
    """Return by case the (C, C) counts of a classifier on rows of its real tiles, rows truth."""
    cache, found = task.cache, {}
    predicted = np.concatenate([part.argmax(1) for part in _logits(task, rows, progress)])
    cases = np.array(cache.cases)[rows]
    for case in np.unique(cases):
        own = cases == case
        counts = np.zeros((len(cache.classes), len(cache.classes)), np.int64)
        np.add.at(counts, (cache.labels[rows][own], predicted[own]), 1)
        found[str(case)] = counts
    return found


def _logits(task: ClassifierTask, rows: Indices, progress: Progress) -> Iterator[npt.NDArray[np.float32]]:
    for start in range(0, len(rows), 256):
        progress("judging test tiles", start, len(rows))
        yield task.classify(np.asarray(task.cache.tiles[rows[start : start + 256]]))
