"""Train a network that names the class of a tile: SimpleCNN, IHCNet, or a timm backbone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from lightning.fabric import Fabric
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from core.config import get_settings
from core.errors import InvalidDataError
from core.models.weights import read_state_dict
from core.training.batch_augment import augment
from core.training.classifiers import build_classifier, card_of, normalise, published_layout
from core.training.config import ClassifierConfig, SimpleCnnConfig, recipe_of
from core.training.data import DataSet, Subset, open_data
from core.training.data.tile_cache import TileCache, build_cache
from core.training.data.tile_source import TileSource
from core.training.learning_rate import LearningRate
from core.training.run_folder import RunFolder
from core.training.task import Goal, Numbers
from core.types import Progress, RGBImage

EVALUATION_BATCH = 64
SEEN_TILES = 500
"""Training tiles that stand in for validation tiles where there are none."""

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Batch = tuple[Tensor, Tensor]


class ClassifierTask:
    """Tiles with classes, a network, cross-entropy."""

    def __init__(
        self,
        config: ClassifierConfig,
        data: DataSet,
        fabric: Fabric,
        progress: Progress,
        *,
        tiles: TileCache | None = None,
        synthetic: TileCache | None = None,
    ) -> None:
        """Read the tiles and build the network.

        Args:
            tiles: of the data set, read and split already; None reads them.
            synthetic: tiles of the same classes that only train; None reads those that the configuration names.
        """
        self.config, self.data, self.fabric = config, data, fabric
        self.card = card_of(config)
        read = partial(
            build_cache,
            folder=get_settings().data_dir / "cache" / "tiles",
            input_px=self.card.input_px,
            tile_um=config.tile_um or self.card.tile_um,
            mpp=config.mpp,
            white_level=self.card.white_level,
            progress=progress,
        )
        self.cache = read(data) if tiles is None else tiles
        self.source = TileSource(config, self.cache, synthetic or self._read_synthetic(read))
        held_out = self.cache.of(Subset.VAL)
        # Without validation tiles, some that it has seen must do; the name says so wherever it is shown.
        self.judged = held_out if len(held_out) else self.cache.of(Subset.TRAIN)[:SEEN_TILES]
        self.prefix = "val" if len(held_out) else "seen"
        self.goal = Goal(f"{self.prefix}_loss", "validation loss" if len(held_out) else "loss on seen tiles")
        network = build_classifier(config, len(data.classes), get_settings().weights_dir)
        network.to(memory_format=torch.channels_last)
        kind = torch.optim.Adam if isinstance(config, SimpleCnnConfig) else torch.optim.AdamW
        learning = [value for value in network.parameters() if value.requires_grad]
        # Fused: one pass over the weights; SimpleCNN's 8 million took a sixth of every step otherwise.
        optimizer = kind(learning, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.rate = LearningRate(config)
        self.class_weights = self.source.class_weights().to(fabric.device)

    def steps(self) -> int:
        """Return the batches of one epoch, on each device."""
        each = len(self.source) // (self.config.batch_size * self.fabric.world_size)
        return self.config.steps_per_epoch or max(1, each)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield varied tiles and their classes; the order depends on seed and epoch alone."""
        self._plain().train()
        self._freeze(frozen=epoch <= self.config.freeze_backbone)
        order, rank, world = self.source.order(epoch), self.fabric.global_rank, self.fabric.world_size
        random = Generator().manual_seed(self.config.seed * 100_003 + epoch * 101 + rank)
        size = min(self.config.batch_size, len(order))
        for step in range(self.steps()):
            places = (np.arange(size) + (step * world + rank) * size) % len(order)
            images, labels = self.source.read(order[places])
            varied = augment(torch.from_numpy(images).to(self.fabric.device), self.config.augmentation, random)
            batch = normalise(varied, self.card).contiguous(memory_format=torch.channels_last)
            yield batch, torch.from_numpy(labels).to(self.fabric.device)

    def step(self, batch: Batch, progress: float) -> Mapping[str, Tensor | float]:
        """Learn from one batch."""
        images, labels = batch
        rate = self.rate.at(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        logits = self.network(images).float()
        loss = F.cross_entropy(logits, labels, self.class_weights, label_smoothing=self.config.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if self.config.clip is not None:
            self.fabric.clip_gradients(
                self.network, self.optimizer, max_norm=self.config.clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        return {"loss": loss.detach(), "accuracy": (logits.detach().argmax(1) == labels).float().mean()}

    def end_epoch(self, epoch: int) -> Numbers:
        """Judge the validation tiles; without any, tiles it has seen."""
        loss, accuracy = self._judge(self.judged)
        self.rate.end_epoch(loss)
        return {
            f"{self.prefix}_loss": loss,
            f"{self.prefix}_accuracy": accuracy,
            "learning_rate": self.rate.at(float(epoch)),
        }

    def classify(self, tiles: RGBImage) -> Floats:
        """Return (N, C) logits of (N, px, px, 3) uint8 tiles with the present weights."""
        return self._predict(self._plain().eval(), tiles)[0]

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        return {
            "network": self._plain().state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rate": self.rate.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state."""
        self._plain().load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rate.restore(state["rate"])

    def best_weights(self) -> dict[str, Tensor]:
        """Return the present weights in the published layout."""
        return published_layout(self._plain())

    def draw(self, epoch: int) -> RGBImage | None:  # noqa: ARG002
        """Return nothing: a classifier has no pictures while it learns."""
        return None

    def finish(self, run: RunFolder, weights: Path) -> dict[str, Any]:
        """Judge the best weights on the test cases, calibrate them on the validation cases."""
        from core.training.judging.finishing import finish_classifier  # draws in scikit-learn: not before it is needed

        classes = len(self.data.classes)
        best = build_classifier(self.config.model_copy(update={"start": "random", "tied": False}), classes, Path())
        best.load_state_dict(read_state_dict(weights))
        self.best = best.eval().to(self.fabric.device).to(memory_format=torch.channels_last)
        return finish_classifier(
            run,
            predict=partial(self._predict, self.best),
            network=self.best,
            card=self.card,
            recipe=recipe_of(self.config),
            cache=self.cache,
            data=self.data,
            config=self.config,
            weights=weights,
        )

    def _predict(self, network: nn.Module, tiles: RGBImage) -> tuple[Floats, Floats]:
        """Return (N, C) logits and (N, F) features before the last layers of (N, px, px, 3) uint8 tiles."""
        found = []
        with torch.inference_mode():
            for start in range(0, len(tiles), EVALUATION_BATCH):
                images = torch.from_numpy(np.array(tiles[start : start + EVALUATION_BATCH]))
                batch = images.to(self.fabric.device).permute(0, 3, 1, 2).float() / 255.0
                batch = normalise(batch, self.card).contiguous(memory_format=torch.channels_last)
                with self.fabric.autocast():
                    features = network.embed(batch)  # type: ignore[operator]
                    logits = network.classify(features)  # type: ignore[operator]
                found.append((logits.float().cpu().numpy(), features.float().cpu().numpy()))
        logits_parts, feature_parts = zip(*found, strict=True)
        return np.concatenate(logits_parts), np.concatenate(feature_parts)

    def _judge(self, chosen: Indices) -> tuple[float, float]:
        """Return the mean loss over classes, and the accuracy."""
        network, parts = self._plain().eval(), []
        for start in range(0, len(chosen), EVALUATION_BATCH):
            parts.append(self._predict(network, self.cache.tiles[chosen[start : start + EVALUATION_BATCH]])[0])
        logits, labels = torch.from_numpy(np.concatenate(parts)), torch.from_numpy(self.cache.labels[chosen])
        losses = F.cross_entropy(logits, labels, reduction="none")
        present = sorted(set(labels.tolist()))
        loss = torch.stack([losses[labels == label].mean() for label in present]).mean()
        return float(loss), float((logits.argmax(1) == labels).float().mean())

    def _plain(self) -> nn.Module:
        """Return the network without Fabric's wrapper."""
        network: nn.Module = self.network.module
        return network

    def _freeze(self, *, frozen: bool) -> None:
        backbone = getattr(self._plain(), "backbone", None)
        if backbone is not None and self.config.freeze_backbone:
            backbone.requires_grad_(not frozen)

    def _read_synthetic(self, read: Callable[[DataSet], TileCache]) -> TileCache | None:
        if self.config.synthetic is None:
            return None
        folder = open_data(self.config.synthetic)
        unknown = sorted(set(folder.classes) - set(self.data.classes))
        if unknown:
            raise InvalidDataError(
                f"The synthetic images have classes the real ones lack: {', '.join(unknown)}. "
                f"Their folders must be named like the real ones: {', '.join(self.data.classes)}."
            )
        items = tuple(replace(item, subset=Subset.TRAIN) for item in folder.items)
        return read(replace(folder, items=items, classes=self.data.classes))
