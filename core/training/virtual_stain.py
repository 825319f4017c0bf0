"""Train the PSPStain generator: `python -m core.training.virtual_stain --data ../shared/data --out weights/`.

The decoder is solved first (`stain_start`), then everything is trained on crops. One case in four is held out and
takes part in neither.
"""

import argparse
import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_

from core.models.resnet_generator import ResnetGenerator
from core.models.weights import save_safetensors
from core.training.augment import restain
from core.training.stain_pairs import Pair, crop, is_held_out, read_pairs, simulate_pairs
from core.training.stain_start import dab_density, solve_start
from core.types import RGBImage

log = logging.getLogger(__name__)

UNDER = 0.75
"""Weight of missing DAB; the rest of 1 is the weight of too much."""


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training.

    Attributes:
        steps: one crop each.
        minutes: the learning rate reaches its end after this time if the steps are not done before.
        crop_px: side of a crop.
        lr: largest learning rate; cosine to nothing.
        amount: weight of the DAB amounts beside the colours.
        ema: of the weights that are kept.
        phantoms, phantom_share: simulated pairs, and how often one is drawn.
        solved_phantoms: how many of them take part in the solved start.
    """

    steps: int = 4000
    minutes: float = 8.0
    crop_px: int = 128
    lr: float = 1e-5
    amount: float = 2.0
    ema: float = 0.99
    phantoms: int = 12
    phantom_share: float = 0.12
    solved_phantoms: int = 3
    seed: int = 0


def start(pairs: Sequence[Sequence[Pair]], config: TrainConfig) -> ResnetGenerator:
    """Return a generator whose decoder is solved on whole fields at the scale of the card."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    generator = ResnetGenerator()
    # Whole fields at the scale of the card, and once more a little larger.
    fields = [level for levels in pairs for level in levels[:2]]
    solve_start(
        generator,
        [(_batch(restain(rng, pair.he, pair.white, mix=0.03, strength=0.15)), _batch(pair.target)) for pair in fields],
    )
    return generator


def distance(virtual: Tensor, target: Tensor, *, amount: float) -> Tensor:
    """Compare colours at four sizes and DAB amounts at two; (N, 3, H, W) in [-1, 1] each."""
    colour = sum((F.l1_loss(*_pooled(virtual, target, k)) for k in (1, 2, 4, 16)), torch.zeros(()))
    stained, really = dab_density(virtual), dab_density(target)
    dab = sum((_pinball(*_pooled(stained, really, k)) for k in (4, 16)), torch.zeros(()))
    return colour / 4 + amount * dab / 2


class Trainer:
    """One training; all that a checkpoint needs.

    The generator stays in evaluation mode: its spectral norms then keep the scale that the start has solved.
    """

    def __init__(self, generator: ResnetGenerator, config: TrainConfig) -> None:
        self.config = config
        self.generator = generator.eval()
        self.average = ResnetGenerator().eval().requires_grad_(False)
        self.average.load_state_dict(generator.state_dict())
        self.optimizer = torch.optim.Adam(generator.parameters(), lr=config.lr, betas=(0.9, 0.99))
        self.rng = np.random.default_rng(config.seed)
        self.step = 0
        self.seconds = 0.0

    def run(self, pairs: Sequence[Sequence[Pair]], simulated: Sequence[Sequence[Pair]], checkpoint: Path) -> None:
        """Train until the steps or the minutes are over, keeping a checkpoint every 50 steps."""
        loss = 0.0
        for he, target in self._crops(pairs, simulated):
            began, progress = time.monotonic(), self.progress()
            if progress >= 1.0:
                break
            loss += 0.02 * (self._update(he, target, progress) - loss)
            self.step += 1
            self.seconds += time.monotonic() - began
            if self.step % 50 == 0:
                log.info("step %d, %.0f %%: loss %.4f", self.step, 100 * progress, loss)
                self._keep(checkpoint)

    def progress(self) -> float:
        """Share of the training that is done."""
        return max(self.step / self.config.steps, self.seconds / (60 * self.config.minutes))

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self.rng = np.random.default_rng([self.config.seed, self.step])

    def _crops(
        self, pairs: Sequence[Sequence[Pair]], simulated: Sequence[Sequence[Pair]]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            group = simulated if simulated and self.rng.random() < self.config.phantom_share else pairs
            levels = group[int(self.rng.integers(len(group)))]
            # Half of the crops at the scale the card names, the others up to twice as large.
            level = 0 if self.rng.random() < 0.5 else int(self.rng.integers(len(levels)))
            he, target = crop(self.rng, levels[level], self.config.crop_px)
            yield _batch(he), _batch(target)

    def _update(self, he: Tensor, target: Tensor, progress: float) -> float:
        warm = min(1.0, (self.step + 1) / 50)
        self.optimizer.param_groups[0]["lr"] = self.config.lr * warm * 0.5 * (1 + float(np.cos(np.pi * progress)))
        with torch.autocast("cpu", torch.bfloat16):
            virtual = self.generator(he)
        loss = distance(virtual.float(), target, amount=self.config.amount)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.generator.parameters(), 1.0)
        self.optimizer.step()
        decay = min(self.config.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, new in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                mean.lerp_(new, 1 - decay)
        return float(loss.detach())

    def _parts(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer]:
        return {"generator": self.generator, "average": self.average, "optimizer": self.optimizer}

    def _keep(self, path: Path) -> None:
        partial = path.with_suffix(".partial")
        state = {name: part.state_dict() for name, part in self._parts().items()}
        torch.save({**state, "step": self.step, "seconds": self.seconds}, partial)
        partial.replace(path)


def main() -> None:
    """Train on the cases that are not held out and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds bci and mist")
    parser.add_argument("--out", type=Path, required=True, help="folder for pspstain.safetensors")
    parser.add_argument("--checkpoint", type=Path, default=Path("data/training/pspstain.pt"))
    parser.add_argument("--minutes", type=float, default=TrainConfig.minutes)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    config = TrainConfig(minutes=arguments.minutes)
    pairs = [levels for levels in read_pairs(arguments.data) if not is_held_out(levels[0].case)]
    resumed = arguments.checkpoint.exists()
    simulated = simulate_pairs(config.phantoms)
    first = ResnetGenerator() if resumed else start([*pairs, *simulated[: config.solved_phantoms]], config)
    trainer = Trainer(first, config)
    if resumed:
        trainer.restore(arguments.checkpoint)
    trainer.run(pairs, simulated, arguments.checkpoint)
    sha256 = save_safetensors(trainer.average.state_dict(), arguments.out / "pspstain.safetensors")
    print(json.dumps({"sha256": sha256, "steps": trainer.step, "config": asdict(config)}, indent=1))


def _pinball(found: Tensor, wanted: Tensor) -> Tensor:
    # Absolute error would paint the median, which is no stain at all: too little costs more than too much.
    missing = wanted - found
    return torch.maximum(UNDER * missing, (UNDER - 1) * missing).mean()


def _pooled(first: Tensor, second: Tensor, size: int) -> tuple[Tensor, Tensor]:
    return F.avg_pool2d(first, size), F.avg_pool2d(second, size)


def _batch(image: RGBImage) -> Tensor:
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    return pixels.float() / 127.5 - 1


if __name__ == "__main__":
    main()
