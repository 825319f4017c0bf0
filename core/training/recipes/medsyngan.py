"""MedSynGAN: images from noise and a class, trained against a discriminator that is told the class as well."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import TrainingError
from core.models.medsyngan import NOISE_DIM, Discriminator, Generator
from core.models.weights import read_state_dict, save_safetensors
from core.quality.generative import frechet_by_class, spread
from core.training.config import MedSynGanConfig
from core.training.data import DataSet
from core.training.data.tile_cache import TileCache
from core.training.gan import diff_augment
from core.training.gan.evaluation import Features, evaluate, montage
from core.training.gan.index import write_beside
from core.training.gan.judges import TileJudge
from core.training.gan.networks import Critic, RunningMean, sample, toggle
from core.training.gan.start import learn_components, reduced
from core.training.gan.tiles import Batch, RealTiles
from core.training.learning_rate import LearningRate
from core.training.run_folder import RunFolder
from core.training.task import Goal, Numbers
from core.types import Progress, RGBImage

COLLAPSED = 0.1
"""Samples of a class that differ by less than this share of what its real tiles differ by are all the same image."""

PATIENCE, FIRST_STEPS = 3, 300
"""Epochs in a row before a collapse is believed, and steps before it is looked for: a new generator paints grey."""

ANCHORED = 0.5
"""Share of the noise that are components of real tiles, where there is an anchor."""

DISCRIMINATOR = "discriminator.safetensors"
"""Beside the generator's weights in the run folder, in the published layout."""


class GanTask:
    """Generator and discriminator in turn, one step each a batch."""

    goal = Goal("frechet", "Fréchet distance to held-out tiles of the same class")

    def __init__(
        self,
        config: MedSynGanConfig,
        data: DataSet,
        fabric: Fabric,
        progress: Progress,
        *,
        tiles: TileCache | None = None,
    ) -> None:
        """Read the tiles (or take those given, read and split already) and build the networks with random weights."""
        self.config, self.fabric = config, fabric
        self._data, self._progress = data, progress
        self.tiles = RealTiles(config, data, fabric.device, progress, tiles=tiles)
        classes, betas = self.tiles.classes, (config.beta1, 0.999)
        generator = Generator(classes=classes, width=config.width).to(memory_format=torch.channels_last)
        critic = Critic(
            Discriminator(classes=classes, width=config.width),
            spectral_norm=config.spectral_norm,
            tied=config.tied_discriminator,
        ).to(memory_format=torch.channels_last)
        self.generator, self.generator_optimizer = fabric.setup(
            generator, torch.optim.Adam(generator.parameters(), config.learning_rate, betas, fused=True)
        )
        self.critic, self.critic_optimizer = fabric.setup(
            critic, torch.optim.Adam(critic.parameters(), config.learning_rate, betas, fused=True)
        )
        self.rate = LearningRate(config)
        self._pace = (config.discriminator_learning_rate or config.learning_rate) / config.learning_rate
        self._plain_generator, self._plain_critic = generator, critic
        self.mean = RunningMean(generator, config.ema) if config.ema else None
        self.guide: TileJudge | None = None
        self.components = self.tiles.components() if config.start_steps or config.anchor else None
        self._fixed = self._noise(np.repeat(np.arange(classes), config.images), seed=config.seed)
        self._real_features: npt.NDArray[np.float64] | None = None
        self._real_spread = 0.0
        self._sums: dict[str, Tensor] = {}
        self._steps_done, self._collapsed = 0, 0

    @cached_property
    def features(self) -> Features:
        """What generators are judged by; no part of their training."""
        return Features(self.tiles.cache, self.fabric.device)

    def steps(self) -> int:
        """Return the batches of one epoch."""
        return self.tiles.steps

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield real tiles in [-1, 1] with their classes; before the first, the guide and the start are made."""
        if self.config.classifier_weight and self.guide is None:
            self.guide = self.tiles.train_guide()
        if self.config.start_steps and not self._steps_done:
            self._start()
        yield from self.tiles.batches(self.config.seed + 7919 * epoch + self.fabric.global_rank)

    def step(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Improve the discriminator, then the generator."""
        images, labels = batch
        self._set_rates(self.rate.at(progress))
        noise = torch.randn(2, len(images), NOISE_DIM, device=images.device)
        if self.config.anchor and self.components:
            first = self._anchored(len(images))
            noise[:, :first] = self.components.of(images[:first], labels[:first])
        numbers = self._judge(images, labels, noise[0]) | self._create(images, labels, noise[1])
        if self.mean:
            self.mean.update(self._plain_generator)
        self._steps_done += 1
        for name, value in numbers.items():
            self._sums[name] = self._sums.get(name, torch.zeros((), device=images.device)) + value
        return numbers

    def end_epoch(self, epoch: int) -> Numbers:  # noqa: ARG002
        """Return the losses, how far the samples differ from each other, and how far they are from held-out tiles.

        Raises:
            TrainingError: all samples look the same.
        """
        figures = {name: float(value) / self.steps() for name, value in self._sums.items() if name != "loss"}
        self._sums = {}
        labels = self.tiles.cache.labels[self.tiles.judged]
        samples = self._sample(labels, seed=self.config.seed + 1)
        if self._real_features is None:
            real = self.tiles.cache.tiles[self.tiles.judged]
            self._real_features, self._real_spread = self.features(real), spread(real, labels)
        figures["diversity"] = spread(samples, labels) / max(self._real_spread, 1e-6)
        figures["frechet"] = frechet_by_class(self.features(samples), self._real_features, labels)
        self.rate.end_epoch(figures["frechet"])
        self._check_diversity(figures["diversity"])
        return figures

    def state(self) -> dict[str, Any]:
        """Return everything that is needed to go on."""
        return {
            "generator": self._plain_generator.state_dict(),
            "critic": self._plain_critic.state_dict(),
            "generator_optimizer": self.generator_optimizer.state_dict(),
            "critic_optimizer": self.critic_optimizer.state_dict(),
            "rate": self.rate.state(),
            "guide": self.guide.state_dict() if self.guide else {},
            "mean": self.mean.network.state_dict() if self.mean else {},
            "mean_steps": self.mean.steps if self.mean else 0,
            "steps_done": self._steps_done,
            "collapsed": self._collapsed,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state."""
        self._plain_generator.load_state_dict(state["generator"])
        self._plain_critic.load_state_dict(state["critic"])
        self.generator_optimizer.load_state_dict(state["generator_optimizer"])
        self.critic_optimizer.load_state_dict(state["critic_optimizer"])
        if self.mean and state["mean"]:
            self.mean.network.load_state_dict(state["mean"])
            self.mean.steps = int(state["mean_steps"])
        self.rate.restore(state["rate"])
        if state["guide"]:
            self.guide = TileJudge(self.tiles.classes).to(self.fabric.device).eval().requires_grad_(False)
            self.guide.load_state_dict(state["guide"])
        self._steps_done, self._collapsed = int(state["steps_done"]), int(state["collapsed"])

    def best_weights(self) -> dict[str, Tensor]:
        """Return the generator's weights (their running mean, if one is kept)."""
        return dict(self.best_generator.state_dict())

    def draw(self, epoch: int) -> RGBImage | None:  # noqa: ARG002
        """Return samples of the fixed noise, a row per class."""
        images = sample(self.best_generator, *self._fixed).numpy()
        return montage(images, columns=self.config.images)

    def finish(self, run: RunFolder, weights: Path) -> dict[str, Any]:
        """Judge the best generator on held-out tiles; write the discriminator and the index of tiles beside it."""
        generator = Generator(classes=self.tiles.classes, width=self.config.width)
        generator.load_state_dict(read_state_dict(weights), strict=True)
        generator.to(self.fabric.device).eval()
        save_safetensors(self._plain_critic.plain().state_dict(), run.path / DISCRIMINATOR)
        found = evaluate(generator, self.tiles.cache, self.features, run=run, seed=self.config.seed)
        write_beside(weights, run, self._data, self.tiles.cache, self.features, found, progress=self._progress)
        return found

    @property
    def best_generator(self) -> Generator:
        """The generator with its present weights, or their running mean where one is kept."""
        return self.mean.network if self.mean else self._plain_generator

    def _judge(self, images: Tensor, labels: Tensor, noise: Tensor) -> dict[str, Tensor]:
        toggle(self._plain_critic.parameters(), on=True)
        with torch.no_grad():
            synthetic = self.generator(noise, labels)
        logits = self.critic(self._seen(torch.cat([images, synthetic])), labels.repeat(2))
        real, fake = logits.chunk(2)
        loss = _entropy(real, self.config.real_target) + _entropy(fake, 0.0)
        self._improve(self.critic_optimizer, self.critic, loss)
        return {
            "d_loss": loss.detach(),
            "d_real": torch.sigmoid(real.detach()).mean(),
            "d_fake": torch.sigmoid(fake.detach()).mean(),
        }

    def _create(self, images: Tensor, labels: Tensor, noise: Tensor) -> dict[str, Tensor]:
        toggle(self._plain_critic.parameters(), on=False)
        synthetic = self.generator(noise, labels)
        loss = _entropy(self.critic(self._seen(synthetic), labels), 1.0)
        numbers = {"g_loss": loss.detach()}
        if self.guide is not None:
            with self.fabric.autocast():
                logits = self.guide(diff_augment.vary(synthetic))
            wrong = F.cross_entropy(logits.float(), labels)
            loss = loss + self.config.classifier_weight * wrong
            numbers["class_loss"] = wrong.detach()
        if self.config.anchor:
            first = self._anchored(len(images))
            missed = F.l1_loss(reduced(synthetic[:first]), reduced(images[:first]))
            loss = loss + self.config.anchor * missed
            numbers["anchor_loss"] = missed.detach()
        self._improve(self.generator_optimizer, self.generator, loss)
        return numbers | {"loss": loss.detach()}

    def _anchored(self, batch: int) -> int:
        return round(batch * ANCHORED)

    def _set_rates(self, rate: float) -> None:
        for optimizer, pace in ((self.generator_optimizer, 1.0), (self.critic_optimizer, self._pace)):
            for group in optimizer.param_groups:
                group["lr"] = rate * pace

    def _improve(self, optimizer: torch.optim.Optimizer, network: nn.Module, loss: Tensor) -> None:
        optimizer.zero_grad()
        self.fabric.backward(loss)
        if self.config.clip:
            self.fabric.clip_gradients(network, optimizer, max_norm=self.config.clip, error_if_nonfinite=False)
        optimizer.step()

    def _seen(self, images: Tensor) -> Tensor:
        return diff_augment.vary(images) if self.config.differentiable_augmentation else images

    def _start(self) -> None:
        assert self.components is not None
        batches = chain.from_iterable(self.tiles.batches(self.config.seed + number) for number in count(1))
        steps = self.config.start_steps
        learn_components(self._plain_generator, self.components, batches, steps=steps, autocast=self.fabric.autocast)
        self._plain_generator.load_state_dict(self.fabric.broadcast(self._plain_generator.state_dict()))
        if self.mean:
            self.mean = RunningMean(self._plain_generator, self.config.ema)

    def _noise(self, labels: npt.NDArray[np.int64], *, seed: int) -> Batch:
        noise = torch.randn(len(labels), NOISE_DIM, generator=torch.Generator().manual_seed(seed))
        return noise.to(self.fabric.device), torch.from_numpy(np.asarray(labels, np.int64)).to(self.fabric.device)

    def _sample(self, labels: npt.NDArray[np.int64], *, seed: int) -> npt.NDArray[np.uint8]:
        return sample(self.best_generator, *self._noise(labels, seed=seed)).numpy()

    def _check_diversity(self, diversity: float) -> None:
        small = diversity < COLLAPSED and self._steps_done >= FIRST_STEPS
        self._collapsed = self._collapsed + 1 if small else 0
        if self._collapsed >= PATIENCE:
            raise TrainingError(
                f"The generator has collapsed: its images differ from each other by {diversity:.0%} of what real ones "
                "differ by. Switch on differentiable augmentation and spectral norm, or lower the learning rate, and "
                "start a new run; the best weights before this are kept."
            )


def _entropy(logits: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
