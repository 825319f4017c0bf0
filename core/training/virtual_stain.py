"""Train the PSPStain generator: `python -m core.training.virtual_stain --data ../shared/data --out weights/`.

Pairs are neighbouring sections, a few pixels apart, so only blurred colours are compared with the IHC; the fine
detail of the hematoxylin is asked to follow the H&E itself. One case in four is held out and never trained on.
"""

import argparse
import copy
import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.resnet_generator import ResnetGenerator
from core.models.weights import save_safetensors
from core.stains.separation import H_DAB
from core.training.stain_pairs import TARGET_WHITE, Pair, crop, is_held_out, read_pairs, simulate_pairs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training.

    Attributes:
        steps: one crop each.
        minutes: the learning rate reaches its end after this time if the steps are not done before.
        crop_px: side of a crop.
        lr: largest learning rate; cosine to nothing.
        colour, amount, detail, adversarial: weights of the losses.
        adversarial_from: share of the training after which the adversarial loss sets in.
        phantoms, phantom_share: simulated pairs, and how often one is drawn.
    """

    steps: int = 6000
    minutes: float = 55.0
    crop_px: int = 128
    lr: float = 4e-4
    colour: float = 1.0
    amount: float = 1.0
    detail: float = 2.0
    adversarial: float = 0.02
    adversarial_from: float = 0.4
    ema: float = 0.998
    phantoms: int = 12
    phantom_share: float = 0.12
    seed: int = 0


class Losses(nn.Module):
    """How far a virtual IHC is from the real one of the neighbouring section."""

    unmix: Tensor

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        vectors = np.array([*H_DAB, np.cross(*H_DAB)])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        self.register_buffer("unmix", torch.tensor(np.linalg.inv(vectors).T, dtype=torch.float32).view(3, 3, 1, 1))

    def stains(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return hematoxylin and DAB density of images in [-1, 1], (N, 1, H, W) each."""
        light = ((batch + 1) * 127.5).clamp(min=1.0) / TARGET_WHITE
        amounts = F.conv2d(-torch.log10(light), self.unmix)
        return amounts[:, :1], amounts[:, 1:2]

    def forward(self, virtual: Tensor, real: Tensor, detail: Tensor) -> Tensor:
        """Compare blurred colours and DAB amounts with the IHC, and fine hematoxylin with the H&E's.

        Args:
            virtual, real: (N, 3, H, W) in [-1, 1].
            detail: (N, 1, H, W) hematoxylin density of the H&E.
        """
        hematoxylin, dab = self.stains(virtual)
        _, dab_real = self.stains(real)
        colour = sum(F.l1_loss(F.avg_pool2d(virtual, k), F.avg_pool2d(real, k)) for k in (2, 4, 8, 16)) / 4
        amount = sum(F.l1_loss(F.avg_pool2d(dab, k), F.avg_pool2d(dab_real, k)) for k in (4, 16)) / 2
        structure = F.l1_loss(_fine(hematoxylin), _fine(detail))
        weights = self.config
        return weights.colour * colour + weights.amount * amount + weights.detail * structure


class Critic(nn.Sequential):
    """Tell real from virtual IHC in patches of 34 px (the PatchGAN of Isola et al. 2017)."""

    def __init__(self, width: int = 32) -> None:
        norm = nn.utils.parametrizations.spectral_norm
        super().__init__(
            norm(nn.Conv2d(3, width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, 2 * width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(2 * width, 4 * width, 4, 1, 1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(4 * width, 1, 4, 1, 1)),
        )


class Trainer:
    """One training; all that a checkpoint needs."""

    def __init__(self, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.generator = ResnetGenerator().train()
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.critic = Critic()
        self.losses = Losses(config)
        self.optimizer = torch.optim.Adam(self.generator.parameters(), lr=config.lr, betas=(0.9, 0.99))
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=config.lr, betas=(0.5, 0.99))
        self.rng = np.random.default_rng(config.seed)
        self.step = 0
        self.seconds = 0.0

    def run(self, pairs: Sequence[Sequence[Pair]], simulated: Sequence[Sequence[Pair]], checkpoint: Path) -> None:
        """Train until the steps or the minutes are over, going on from the checkpoint if there is one."""
        if checkpoint.exists():
            self._restore(checkpoint)
        for he, ihc, detail in self._crops(pairs, simulated):
            started, progress = time.monotonic(), self.progress()
            if progress >= 1.0:
                break
            for optimizer in (self.optimizer, self.critic_optimizer):
                optimizer.param_groups[0]["lr"] = self._rate(progress)
            loss = self._update(he, ihc, detail, adversarial=progress >= self.config.adversarial_from)
            self.step += 1
            self.seconds += time.monotonic() - started
            if self.step % 100 == 0:
                log.info("step %d, %.0f %%: loss %.4f", self.step, 100 * progress, loss)
                self._keep(checkpoint)

    def progress(self) -> float:
        """Share of the training that is done."""
        return max(self.step / self.config.steps, self.seconds / (60 * self.config.minutes))

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights; u and v are iterated until they belong to them, as evaluation needs."""
        self.average.train()
        with torch.no_grad():
            for _ in range(30):  # one power iteration per pass in training mode
                self.average(torch.zeros(1, 3, 16, 16))
        return self.average.eval().state_dict()

    def _crops(
        self, pairs: Sequence[Sequence[Pair]], simulated: Sequence[Sequence[Pair]]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        while True:
            group = simulated if simulated and self.rng.random() < self.config.phantom_share else pairs
            levels = group[int(self.rng.integers(len(group)))]
            # Half of the crops at the scale the card names, the others up to twice as large.
            level = 0 if self.rng.random() < 0.5 else int(self.rng.integers(len(levels)))
            he, ihc, detail = crop(self.rng, levels[level], self.config.crop_px)
            yield _batch(he), _batch(ihc), torch.from_numpy(np.ascontiguousarray(detail))[None, None]

    def _update(self, he: Tensor, ihc: Tensor, detail: Tensor, *, adversarial: bool) -> float:
        with torch.autocast("cpu", torch.bfloat16):
            virtual = self.generator(he)
        virtual = virtual.float()
        loss = self.losses(virtual, ihc, detail)
        if adversarial:
            self.critic_optimizer.zero_grad()
            wrong = F.relu(1 - self.critic(ihc)).mean() + F.relu(1 + self.critic(virtual.detach())).mean()
            wrong.backward()  # type: ignore[no-untyped-call]
            self.critic_optimizer.step()
            loss = loss - self.config.adversarial * self.critic(virtual).mean()
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.generator.parameters(), 1.0)
        self.optimizer.step()
        decay = min(self.config.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, new in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                mean.lerp_(new, 1 - decay)
        return float(loss.detach())

    def _rate(self, progress: float) -> float:
        warm = min(1.0, (self.step + 1) / 100)
        return self.config.lr * warm * (0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * progress))))

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "generator": self.generator,
            "average": self.average,
            "critic": self.critic,
            "optimizer": self.optimizer,
            "critic_optimizer": self.critic_optimizer,
        }

    def _keep(self, path: Path) -> None:
        partial = path.with_suffix(".partial")
        state = {name: part.state_dict() for name, part in self._parts().items()}
        torch.save({**state, "step": self.step, "seconds": self.seconds}, partial)
        partial.replace(path)

    def _restore(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self.rng = np.random.default_rng([self.config.seed, self.step])


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
    trainer = Trainer(config)
    trainer.run(pairs, simulate_pairs(config.phantoms), arguments.checkpoint)
    sha256 = save_safetensors(trainer.weights(), arguments.out / "pspstain.safetensors")
    print(json.dumps({"sha256": sha256, "steps": trainer.step, "config": asdict(config)}, indent=1))


def _fine(density: Tensor) -> Tensor:
    return density - F.avg_pool2d(density, 5, stride=1, padding=2, count_include_pad=False)


def _batch(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Tensor:
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    return pixels.float() / 127.5 - 1


if __name__ == "__main__":
    main()
