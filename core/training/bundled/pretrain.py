"""Pretrain IHCNet on simulated HER2 fields: the score of a crop, and what it is made of, both known exactly."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from core.models.card import IMAGENET_MEAN, IMAGENET_STD
from core.models.ihcnet import POOLED_CHANNELS, IHCNet
from core.training.bundled.fields import TARGETS, Crop, Fields
from core.types import RGBImage


@dataclass(frozen=True)
class PretrainConfig:
    """One pretraining.

    Attributes:
        minutes: wall clock of the whole training; the schedule follows it, so that a busy machine shortens nothing.
        phases: (share of the time, input side in pixels, batch size); small inputs first, they cost less.
        learning_rate: peak; rises during the first `warmup` share of the time, then falls along a cosine to zero.
        smoothing: share of the target given to other classes.
        auxiliary: weight of the regression loss.
        seed: of weights and crops.
        save_every: steps between checkpoints.
    """

    minutes: float = 60.0
    phases: tuple[tuple[float, int, int], ...] = ((0.5, 96, 48), (0.35, 128, 32), (0.15, 224, 24))
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup: float = 0.04
    smoothing: float = 0.05
    auxiliary: float = 3.0
    seed: int = 0
    save_every: int = 50


def plan(config: PretrainConfig, progress: float) -> tuple[int, int, float]:
    """Return input side, batch size and learning rate at `progress` in [0, 1)."""
    rate = min(1.0, (progress + 1e-3) / config.warmup) * 0.5 * (1 + cos(pi * min(progress, 1.0)))
    end = 0.0
    for share, px, batch in config.phases:
        end += share
        if progress < end:
            return px, batch, config.learning_rate * rate
    return px, batch, config.learning_rate * rate


def to_batch(images: Sequence[RGBImage]) -> Tensor:
    """Stack (H, W, 3) uint8 images to a normalised (N, 3, H, W) float tensor, channels last in memory."""
    batch = torch.from_numpy(np.stack(list(images))).permute(0, 3, 1, 2).float() / 255.0
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return ((batch - mean) / std).contiguous(memory_format=torch.channels_last)


def pretrain(
    config: PretrainConfig, fields: Fields, folder: Path, *, report: Callable[[str], None], refresh_every: int = 20
) -> IHCNet:
    """Train, leaving `checkpoint.pt` (resumable), `stats.jsonl` and `config.json` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(config), indent=1))
    torch.manual_seed(config.seed)
    network = IHCNet().to(memory_format=torch.channels_last).train()
    auxiliary = nn.Linear(POOLED_CHANNELS, len(TARGETS))
    parameters = [*network.parameters(), *auxiliary.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
    checkpoint, step, used = folder / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        for part, name in ((network, "network"), (auxiliary, "auxiliary"), (optimizer, "optimizer")):
            part.load_state_dict(state[name])
        step, used = int(state["step"]), float(state["seconds"])

    began = time.monotonic() - used
    while (progress := (time.monotonic() - began) / (60 * config.minutes)) < 1.0:
        px, batch_size, rate = plan(config, progress)
        for group in optimizer.param_groups:
            group["lr"] = rate
        if step % refresh_every == 0:
            fields.refresh()
        rng = np.random.default_rng([config.seed, step])
        crops = [fields.crop(rng, px) for _ in range(batch_size)]
        loss, accuracy = _step(network, auxiliary, crops, config)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 2.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        line = {"step": step, "px": px, "rate": rate, "loss": round(loss.item(), 4), "accuracy": round(accuracy, 3)}
        if step % 10 == 0:
            line["seconds"] = round(time.monotonic() - began)
            with (folder / "stats.jsonl").open("a") as stats:
                stats.write(json.dumps(line) + "\n")
            report(str(line))
        if step % config.save_every == 0:
            _save(checkpoint, network, auxiliary, optimizer, step=step, seconds=time.monotonic() - began)
    _save(checkpoint, network, auxiliary, optimizer, step=step, seconds=time.monotonic() - began)
    return network.eval()


def _save(
    checkpoint: Path,
    network: IHCNet,
    auxiliary: nn.Linear,
    optimizer: torch.optim.Optimizer,
    *,
    step: int,
    seconds: float,
) -> None:
    """Write beside the old checkpoint, then rename: a stop in between leaves the old one whole."""
    state = {"network": network.state_dict(), "auxiliary": auxiliary.state_dict(), "optimizer": optimizer.state_dict()}
    partial = checkpoint.with_suffix(".partial")
    torch.save({**state, "step": step, "seconds": seconds}, partial)
    partial.rename(checkpoint)


def _step(network: IHCNet, auxiliary: nn.Linear, crops: list[Crop], config: PretrainConfig) -> tuple[Tensor, float]:
    """Return the loss of one batch and the accuracy of its scores."""
    scores = torch.tensor([crop.score for crop in crops])
    weights = torch.tensor([crop.weight for crop in crops])
    targets = torch.from_numpy(np.stack([crop.targets for crop in crops]))
    with torch.autocast("cpu", torch.bfloat16):
        pooled = network.embed(to_batch([crop.image for crop in crops]))
    pooled = pooled.float()
    logits = network.classifier(pooled)
    losses = functional.cross_entropy(logits, scores, reduction="none", label_smoothing=config.smoothing)
    parts = functional.smooth_l1_loss(auxiliary(pooled), targets, beta=0.1)
    accuracy = float((logits.argmax(1) == scores)[weights == 1].float().mean())
    return (losses * weights).mean() + config.auxiliary * parts, accuracy


def main() -> None:
    """Pretrain in the folder named on the command line: `python -m core.training.bundled.pretrain RUN FIELDS`."""
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("fields", type=Path, help="folder of `core.training.bundled.fields` shards")
    parser.add_argument("--minutes", type=float, default=PretrainConfig.minutes)
    arguments = parser.parse_args()
    config = PretrainConfig(minutes=arguments.minutes)
    pretrain(config, Fields(arguments.fields), arguments.run, report=print)


if __name__ == "__main__":
    main()
