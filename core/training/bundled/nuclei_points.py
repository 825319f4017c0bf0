"""Train the nuclei network: `python -m core.training.bundled.nuclei_points --data ../shared/data --folder FOLDER`.

Its members are trained without a quarter of the cases, four times, and together answer the fields they never saw;
`--final` trains the shipped ones on all cases; `--limits` then chooses the limits on all held-out answers and prints
them as the manifest has them. A training that was cut off goes on from its last checkpoint, so that several processes
can share the work (`--members`, `--folds`); run once more without them, it puts the parts together.
"""

import argparse
import copy
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from core.labels import OperatingPoint
from core.models.nuclei_unet import MEMBERS, NucleiMember, NucleiUNet
from core.models.registry import get_card
from core.models.transforms import Normalised
from core.models.weights import read_state_dict, save_safetensors
from core.quantify.nuclei_learned import Maps, detect_maps
from core.training.bundled.nuclei_fields import (
    UNKNOWN,
    Crops,
    CropSampler,
    NucleiField,
    folds_by_case,
    read_nuclei_fields,
    simulate_nuclei_fields,
)
from core.training.bundled.nuclei_judging import MATCH_PX, LimitTable, held_out_fields, manifest_rows
from core.types import RGBImage

log = logging.getLogger(__name__)


FOLDS = 4


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training.

    Attributes:
        steps: batches.
        batch: crops per batch.
        side: of a crop in pixels.
        lr: largest learning rate; one cycle up and down.
        average: how much of the averaged weights is kept per step.
        dropout: of whole channels at the coarsest level, while training.
        patched: share of crops with a rectangle of another one.
        inside_weight: of the third map in the loss.
        phantoms: simulated fields beside the real ones.
    """

    steps: int = 1200
    batch: int = 16
    side: int = 192
    lr: float = 3e-3
    weight_decay: float = 1e-2
    average: float = 0.99
    dropout: float = 0.0
    patched: float = 0.0
    inside_weight: float = 0.5
    phantoms: int = 72
    seed: int = 0


MEMBER_CONFIGS = (
    TrainConfig(seed=0),
    TrainConfig(seed=1, dropout=0.15, patched=0.4, weight_decay=0.05, average=0.995),
)
"""How each member is trained: they differ so that their errors do."""


class Training:
    """One network, its optimiser and its averaged copy; kept on disk every now and then."""

    def __init__(self, config: TrainConfig, path: Path) -> None:
        torch.manual_seed(config.seed)
        self.config, self.path = config, path
        self.network = NucleiMember(dropout=config.dropout).train().to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), config.lr, weight_decay=config.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, config.lr, total_steps=config.steps, pct_start=0.1
        )
        self.step = 0
        self._parts: dict[str, Any] = {
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

    def run(self, fields: Sequence[NucleiField], *, save_every: int = 100) -> NucleiMember:
        """Train to the end and return the averaged network."""
        sampler = CropSampler(fields, side=self.config.side, patched=self.config.patched)
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
            logits = self.network(images)
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


def answer(network: NucleiUNet, image: RGBImage) -> Maps:
    """Return the (3, H, W) maps of one field."""
    inputs = Normalised(get_card("nuclei"), network)

    @torch.inference_mode()
    def detect(tiles: RGBImage) -> npt.NDArray[np.float32]:
        return np.asarray(inputs(torch.from_numpy(tiles)).numpy())

    return detect_maps(image, detect)


def normalised(images: npt.NDArray[np.uint8]) -> Tensor:
    """Return (N, 3, H, W) float32 in [-1, 1] of (N, H, W, 3) uint8."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 127.5 - 1


def train_member(member: int, part: str, fields: Sequence[NucleiField], folder: Path) -> None:
    """Train one member on these fields and the simulated ones, unless it is finished already."""
    path = _member_path(folder, part, member)
    if not path.exists():
        config = MEMBER_CONFIGS[member]
        network = Training(config, path.with_suffix(".checkpoint")).run([*fields, *_phantoms(config, folder)])
        save_safetensors(network.state_dict(), path)
    log.info("%s is done", path.stem)


def assemble(part: str, folder: Path) -> NucleiUNet | None:
    """Put the members together and keep their weights as PART.safetensors; None while one is missing."""
    paths = [_member_path(folder, part, member) for member in range(MEMBERS)]
    if not all(path.exists() for path in paths):
        return None
    network = NucleiUNet().eval()
    for member, path in zip(network.members, paths, strict=True):
        member.load_state_dict(read_state_dict(path))
    save_safetensors(network.state_dict(), folder / f"{part}.safetensors")
    return network


def _member_path(folder: Path, part: str, member: int) -> Path:
    return folder / f"{part}-member-{member}.safetensors"


def _phantoms(config: TrainConfig, folder: Path) -> list[NucleiField]:
    """Simulated fields, kept on disk because they take longer than reading."""
    path = folder / f"phantoms-{config.phantoms}.pt"
    if not path.exists():
        rows = [_as_tensors(field) for field in simulate_nuclei_fields(config.phantoms)]
        torch.save(rows, path.with_suffix(".partial"))
        path.with_suffix(".partial").replace(path)
    return [NucleiField(**_as_arrays(row)) for row in torch.load(path, weights_only=True)]


def _as_arrays(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value.numpy() if isinstance(value, Tensor) else value for key, value in row.items()}


def _as_tensors(field: NucleiField) -> dict[str, Tensor | str]:
    values = vars(field).items()
    return {key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for key, value in values}


def _print_limits(fields: Sequence[NucleiField], folder: Path) -> None:
    table = LimitTable(held_out_fields(fields, folder))
    everything = np.ones(len(fields), bool)
    chosen = {point: table.choose(point, everything) for point in OperatingPoint}
    print("[models.nuclei.limits]")
    print("\n".join(f"{key} = {value}" for key, value in manifest_rows(chosen).items()))


def main() -> None:
    """Train members of some folds, or of the final network; print limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ki67_points and ki67_masks")
    parser.add_argument("--folder", type=Path, required=True, help="checkpoints, weights and held-out maps")
    parser.add_argument(
        "--folds", type=int, nargs="*", default=range(FOLDS), help="which folds to train; all by default"
    )
    parser.add_argument("--members", type=int, nargs="*", default=range(MEMBERS), help="which members; all by default")
    parser.add_argument("--final", action="store_true", help="train on all cases instead: final.safetensors")
    parser.add_argument("--limits", action="store_true", help="print the limits that are best on all held-out answers")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(arguments.threads)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    real = read_nuclei_fields(arguments.data)
    if arguments.limits:
        _print_limits([field for field in real if field.source in MATCH_PX], arguments.folder)
        return
    fold_of = folds_by_case(real, FOLDS)
    for fold in [None] if arguments.final else arguments.folds:
        part = "final" if fold is None else f"fold-{fold}"
        for member in arguments.members:
            train_member(member, part, [field for field in real if fold_of[field.case] != fold], arguments.folder)
        network = assemble(part, arguments.folder)
        if network is not None and fold is not None:
            unseen = [field for field in real if fold_of[field.case] == fold]
            maps: dict[str, Any] = {f"{f.source}-{f.name}": answer(network, f.image).astype(np.float16) for f in unseen}
            np.savez_compressed(arguments.folder / f"maps-{fold}.npz", **maps)


if __name__ == "__main__":
    main()
