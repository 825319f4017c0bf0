"""Train the nuclei network: `python -m core.training.bundled.nuclei_points --data ../shared/data --folder FOLDER`.

Four networks are each trained without a quarter of the cases and answer the fields they never saw; `--final` trains
the shipped one on all cases. A training that was cut off goes on from its last checkpoint.
"""

import argparse
import copy
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from core.models.nuclei_unet import NucleiUNet
from core.models.weights import read_state_dict, save_safetensors
from core.training.bundled.nuclei_fields import (
    UNKNOWN,
    Crops,
    CropSampler,
    NucleiField,
    folds_by_case,
    read_nuclei_fields,
    simulate_nuclei_fields,
)
from core.types import RGBImage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training.

    Attributes:
        steps: batches.
        batch: crops per batch.
        side: of a crop in pixels.
        lr: largest learning rate; one cycle up and down.
        average: how much of the averaged weights is kept per step.
        inside_weight: of the third map in the loss.
        phantoms: simulated fields beside the real ones.
    """

    steps: int = 1500
    batch: int = 16
    side: int = 192
    lr: float = 3e-3
    weight_decay: float = 1e-2
    average: float = 0.99
    inside_weight: float = 0.5
    phantoms: int = 72
    folds: int = 4
    seed: int = 0


class Training:
    """One network, its optimiser and its averaged copy; kept on disk every now and then."""

    def __init__(self, config: TrainConfig, path: Path) -> None:
        torch.manual_seed(config.seed)
        self.config, self.path = config, path
        self.network = NucleiUNet().train().to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), config.lr, weight_decay=config.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, config.lr, total_steps=config.steps, pct_start=0.1
        )
        self.step = 0
        self._parts = {
            "network": self.network,
            "averaged": self.averaged,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
        }
        if path.exists():
            kept = torch.load(path, weights_only=True)
            for name, part in self._parts.items():
                part.load_state_dict(kept[name])
            self.step = kept["step"]
            log.info("goes on from step %d", self.step)

    def save(self) -> None:
        """Keep everything that is needed to go on."""
        partial = self.path.with_suffix(".partial")
        torch.save({name: part.state_dict() for name, part in self._parts.items()} | {"step": self.step}, partial)
        partial.replace(self.path)

    def run(self, fields: Sequence[NucleiField], *, save_every: int = 100) -> NucleiUNet:
        """Train to the end and return the averaged network."""
        sampler = CropSampler(fields, side=self.config.side)
        start, first = time.monotonic(), self.step
        total = 0.0
        while self.step < self.config.steps:
            crops = sampler.draw(np.random.default_rng([self.config.seed, self.step]), self.config.batch)
            total += self._learn(crops)
            self.step += 1
            if self.step % 50 == 0:
                seconds = (time.monotonic() - start) / (self.step - first)
                log.info("step %d of %d: loss %.3f, %.2f s a step", self.step, self.config.steps, total / 50, seconds)
                total = 0.0
            if self.step % save_every == 0:
                self.save()
        return self.averaged.eval()

    def _learn(self, crops: Crops) -> float:
        images = normalised(crops.images).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.network.logits(images)
        loss = nuclei_loss(logits.float(), crops, inside_weight=self.config.inside_weight)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.schedule.step()
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        kept = min(self.config.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            pairs = zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True)
            for mean, value in pairs:
                if value.is_floating_point():
                    mean.lerp_(value, 1 - kept)
                else:
                    mean.copy_(value)


def nuclei_loss(logits: Tensor, crops: Crops, *, inside_weight: float) -> Tensor:
    """Focal loss of the two centre maps (per nucleus), and cross-entropy of the inside map where it is known."""
    heat, judged = torch.from_numpy(crops.heat), torch.from_numpy(crops.judged)[:, None].float()
    centre = (heat > 0.99).float()
    scores, chance = logits[:, :2], torch.sigmoid(logits[:, :2])
    found = centre * (1 - chance) ** 2 * F.softplus(-scores)
    false = (1 - centre) * (1 - heat) ** 4 * chance**2 * F.softplus(scores)
    centres = ((found + false) * judged).sum() / (centre * judged).sum().clamp(min=1.0)
    inside = torch.from_numpy(crops.inside)
    known = inside != UNKNOWN
    shape = F.binary_cross_entropy_with_logits(logits[:, 2][known], (inside[known] == 1).float())
    return centres + inside_weight * shape


@torch.inference_mode()
def answer(network: NucleiUNet, image: RGBImage, *, flips: int = 4) -> npt.NDArray[np.float32]:
    """Return the (3, H, W) maps of one field, averaged over mirror images."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % 16), (0, -width % 16), (0, 0)), mode="reflect")
    batch = normalised(padded[None])
    total = torch.zeros(1, 3, *padded.shape[:2])
    ways: list[tuple[int, ...]] = [(), (3,), (2,), (2, 3)]
    for dims in ways[:flips]:
        total += network(batch.flip(dims)).flip(dims)
    return np.asarray((total / flips)[0, :, :height, :width].numpy())


def normalised(images: npt.NDArray[np.uint8]) -> Tensor:
    """Return (N, 3, H, W) float32 in [-1, 1] of (N, H, W, 3) uint8."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 127.5 - 1


def train_fold(fold: int | None, real: Sequence[NucleiField], config: TrainConfig, folder: Path) -> None:
    """Train without one fold and answer it; without a fold, train on everything. What is finished is kept."""
    name = "final" if fold is None else f"fold-{fold}"
    weights = folder / f"{name}.safetensors"
    fold_of = folds_by_case(real, config.folds)
    network = NucleiUNet().eval()
    if not weights.exists():
        seen = [field for field in real if fold is None or fold_of[field.case] != fold]
        training = Training(config, folder / f"{name}.checkpoint")
        network = training.run([*seen, *_phantoms(config, folder)])
        save_safetensors(network.state_dict(), weights)
    network.load_state_dict(read_state_dict(weights))
    if fold is not None:
        unseen = [field for field in real if fold_of[field.case] == fold]
        maps = {f"{field.source}-{field.name}": answer(network, field.image).astype(np.float16) for field in unseen}
        np.savez_compressed(folder / f"maps-{fold}.npz", **maps)
    log.info("%s is done", name)


def _phantoms(config: TrainConfig, folder: Path) -> list[NucleiField]:
    """Simulated fields, kept on disk because they take longer than reading."""
    path = folder / f"phantoms-{config.phantoms}.pt"
    if not path.exists():
        rows = [_as_tensors(field) for field in simulate_nuclei_fields(config.phantoms)]
        torch.save(rows, path.with_suffix(".partial"))
        path.with_suffix(".partial").replace(path)
    rows = torch.load(path, weights_only=True)
    return [
        NucleiField(**{key: value.numpy() if isinstance(value, Tensor) else value for key, value in row.items()})
        for row in rows
    ]


def _as_tensors(field: NucleiField) -> dict[str, Tensor | str]:
    values = vars(field).items()
    return {key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for key, value in values}


def main() -> None:
    """Train one fold, all folds, or the final network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ki67_points and ki67_masks")
    parser.add_argument("--folder", type=Path, required=True, help="checkpoints, weights and held-out maps")
    parser.add_argument("--folds", type=int, nargs="*", help="which folds to train; all by default")
    parser.add_argument("--final", action="store_true", help="train on all cases instead")
    parser.add_argument("--steps", type=int, default=TrainConfig.steps)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(arguments.threads)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    config = TrainConfig(steps=arguments.steps)
    real = read_nuclei_fields(arguments.data)
    chosen = range(config.folds) if arguments.folds is None else arguments.folds
    for fold in [None] if arguments.final else chosen:
        train_fold(fold, real, config, arguments.folder)


if __name__ == "__main__":
    main()
