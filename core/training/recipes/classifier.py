"""Train a network that names the class of a tile: SimpleCNN, IHCNet, or a timm backbone."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from lightning.fabric import Fabric
from torch import Generator, Tensor
from torch.nn import functional as F

from core.config import get_settings
from core.errors import InvalidDataError
from core.models.weights import read_state_dict
from core.training.batch_augment import augment
from core.training.classifiers import build_classifier, card_of, normalise, published_layout
from core.training.config import Balance, ClassifierConfig, IhcnetConfig, SimpleCnnConfig
from core.training.data import DataSet, Subset, open_data
from core.training.learning_rate import LearningRate
from core.training.run_folder import RunFolder
from core.training.task import Goal, Numbers
from core.training.tile_cache import TileCache, build_cache
from core.types import Progress, RGBImage

POSITIVE = ("2+", "3+", "PR+")
"""Classes whose tiles must show brown, or say nothing of their label."""

EVALUATION_BATCH = 64
GAP_TILES = 2000
"""Training tiles that are judged again at the end, to see how far training and validation are apart."""

Indices = npt.NDArray[np.int64]
Batch = tuple[Tensor, Tensor]


class ClassifierTask:
    """Tiles with classes, a network, cross-entropy."""

    def __init__(self, config: ClassifierConfig, data: DataSet, fabric: Fabric, progress: Progress) -> None:
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
        self.cache = read(data)
        self.synthetic = _synthetic(config, data, read)
        self.training = self._training_tiles()
        self.validation = self.cache.of(Subset.VAL)
        self.goal = Goal("val_loss" if len(self.validation) else "seen_loss", "validation loss")
        network = build_classifier(config, len(data.classes), get_settings().weights_dir)
        network.to(memory_format=torch.channels_last)
        kind = torch.optim.Adam if isinstance(config, SimpleCnnConfig) else torch.optim.AdamW
        learning = [value for value in network.parameters() if value.requires_grad]
        optimizer = kind(learning, lr=config.learning_rate, weight_decay=config.weight_decay)
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.rate = LearningRate(config)
        self.class_weights = self._class_weights().to(fabric.device)

    def steps(self) -> int:
        """Return the batches of one epoch, on each device."""
        each = max(1, len(self.training) // (self.config.batch_size * self.fabric.world_size))
        return self.config.steps_per_epoch or each

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield varied tiles and their classes; the order depends on seed and epoch alone."""
        self.network.train()
        self._freeze(epoch <= self.config.freeze_backbone)
        order = self._order(epoch)
        random = Generator().manual_seed(self.config.seed * 100_003 + epoch * 101 + self.fabric.global_rank)
        size = min(self.config.batch_size, len(self.training))
        for step in range(self.steps()):
            at = np.arange(step * size, (step + 1) * size) * self.fabric.world_size + self.fabric.global_rank
            chosen = order[at % len(order)]
            images, labels = self._read(chosen)
            varied = augment(images, self.config.augmentation, random)
            yield normalise(varied, self.card).contiguous(memory_format=torch.channels_last), labels

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
            self.fabric.clip_gradients(self.network, self.optimizer, max_norm=self.config.clip, error_if_nonfinite=False)
        self.optimizer.step()
        return {"loss": loss.detach(), "accuracy": (logits.detach().argmax(1) == labels).float().mean()}

    def end_epoch(self, epoch: int) -> Numbers:
        """Judge the validation tiles; without any, tiles it has seen."""
        judged = self.validation if len(self.validation) else self._seen()
        loss, accuracy = self._judge(judged)
        self.rate.end_epoch(loss)
        figures = {"learning_rate": self.rate.at(float(epoch))}
        if len(self.validation):
            return {"val_loss": loss, "val_accuracy": accuracy, **figures}
        return {"seen_loss": loss, "seen_accuracy": accuracy, **figures}

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

    def predict(self, tiles: RGBImage) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return (N, C) logits and (N, F) features before the classifier of (N, px, px, 3) uint8 tiles."""
        network, found = self._plain().eval(), []
        with torch.inference_mode():
            for start in range(0, len(tiles), EVALUATION_BATCH):
                images = torch.from_numpy(np.ascontiguousarray(tiles[start : start + EVALUATION_BATCH]))
                batch = images.to(self.fabric.device).permute(0, 3, 1, 2).float() / 255.0
                batch = normalise(batch, self.card).contiguous(memory_format=torch.channels_last)
                with self.fabric.autocast():
                    features = network.embed(batch)
                    logits = network.classify(features)
                found.append((logits.float().cpu().numpy(), features.float().cpu().numpy()))
        logits_parts, feature_parts = zip(*found, strict=True)
        return np.concatenate(logits_parts), np.concatenate(feature_parts)

    def finish(self, run: RunFolder, weights: Path) -> dict[str, Any]:
        """Judge the best weights on the test cases, calibrate them on the validation cases."""
        from core.training.finishing import finish_classifier

        raise NotImplementedError(finish_classifier, run, weights)

    def _judge(self, chosen: Indices) -> tuple[float, float]:
        """Return the mean loss over classes, and the accuracy."""
        labels = self.cache.labels[chosen]
        logits = np.concatenate(
            [
                self.predict(self.cache.tiles[chosen[start : start + EVALUATION_BATCH]])[0]
                for start in range(0, len(chosen), EVALUATION_BATCH)
            ]
        )
        losses = F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), reduction="none").numpy()
        present = np.unique(labels)
        loss = float(np.mean([losses[labels == label].mean() for label in present]))
        return loss, float((logits.argmax(1) == labels).mean())

    def _seen(self) -> Indices:
        return self.training[: GAP_TILES] if len(self.training) > GAP_TILES else self.training
