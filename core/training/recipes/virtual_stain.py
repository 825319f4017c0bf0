"""Train PSPStain's generator on registered pairs of H&E and IHC."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor

from core.config import get_settings
from core.errors import InvalidDataError, InvalidOptionError, WeightsError
from core.images import encode_png
from core.models.manifest import read_manifest
from core.models.registry import get_card
from core.models.resnet_generator import ResnetGenerator
from core.models.weights import load_weights
from core.quality.stain_agreement import judge
from core.training.batch_augment import restain, turn
from core.training.bundled.augment import restain as restain_image
from core.training.config import VirtualStainConfig
from core.training.data import DataSet, Subset
from core.training.learning_rate import LearningRate
from core.training.run_folder import RunFolder
from core.training.staining.judging import (
    Method,
    as_batch,
    identity,
    mean_judgement,
    painter,
    recolouring,
    strip,
)
from core.training.staining.losses import colour_distance, density_distance
from core.training.staining.objective import TERMS, Objective
from core.training.staining.pairs import Pair, open_fields
from core.training.staining.sets import simulate
from core.training.staining.start import solve_start
from core.training.task import Goal, Numbers
from core.types import Progress, RGBImage

CARD = get_card("pspstain")

SHOWN = 4
"""Pairs on the picture of an epoch."""

WATCHED = 8
"""Fields behind the figures of an epoch, at most."""

JUDGED, PICTURES = 500, 24
"""Fields and pictures of the final evaluation, at most."""

SOLVED, SOLVED_SIMULATED = 24, 3
"""Real and simulated fields whose least squares make the solved start, at most."""

LIGHT = 0.1
"""Deviation of the white point of training crops, relative: scanners differ."""

Batch = tuple[Tensor, Tensor, Tensor]
"""Crops of H&E, of what shall be painted, and of real IHC: (N, 3, px, px) in [-1, 1] each."""


class StainTask:
    """The generator, its running mean, and what it is held to."""

    def __init__(self, config: VirtualStainConfig, data: DataSet, fabric: Fabric, progress: Progress) -> None:
        """Read the pairs and build the networks.

        Raises:
            InvalidDataError: no pair is left to train on.
            InvalidOptionError: every term of the loss is off.
        """
        self.config, self.fabric, self.progress = config, fabric, progress
        if not any(getattr(config, name) for name in TERMS):
            raise InvalidOptionError(f"Every term of the loss is off. Give a weight to one of: {', '.join(TERMS)}.")
        self.fields = open_fields(
            data,
            get_settings().data_dir / "cache" / "pairs",
            scale=config.mpp_target or CARD.tile_um / CARD.input_px,
            mpp=config.mpp,
            gain=config.gain,
            progress=progress,
        )
        self.training = self.fields[Subset.TRAIN]
        if not len(self.training):
            raise InvalidDataError("No pair is left to train on. Add pairs, or hold out fewer cases.")
        self.simulated = simulate(config.phantoms, gain=config.gain)
        # Without validation pairs, some that it has seen must do; the name says so wherever it is shown.
        self.prefix = "val" if len(self.fields[Subset.VAL]) else "seen"
        self.watched = (self.fields[Subset.VAL] if self.prefix == "val" else self.training).pairs(WATCHED)
        self.goal = Goal(f"{self.prefix}_agreement", "agreement of DAB", higher_is_better=True)
        generator = ResnetGenerator()
        self.begun = False
        self.average, self.averaged = ResnetGenerator().eval().requires_grad_(False), 0
        optimizer = torch.optim.Adam(
            generator.parameters(), lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.generator, self.optimizer = fabric.setup(generator, optimizer)
        self.average.to(fabric.device)
        self.objective = Objective(config, fabric)
        self.rate = LearningRate(config)

    def steps(self) -> int:
        """Return the batches of one epoch, on each device."""
        each = len(self.training) // (self.config.batch_size * self.fabric.world_size)
        return self.config.steps_per_epoch or max(1, each)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield crops, turned alike; the H&E alone is stained and lit in another way."""
        self._begin()
        # Evaluation mode keeps the scale of the spectral norms, which a start has set; random weights have to find it.
        self.generator.train(self.config.start == "random")
        rng = np.random.default_rng([self.config.seed, epoch, self.fabric.global_rank])
        random = torch.Generator().manual_seed(int(rng.integers(2**31)))
        for _ in range(self.steps()):
            crops = np.stack([self._crop(rng) for _ in range(self.config.batch_size)])  # (N, 9, px, px)
            batch = turn(torch.from_numpy(crops).to(self.fabric.device), random).float() / 255.0
            he, target, ihc = batch.chunk(3, dim=1)
            if self.config.stain:
                he = restain(he, self.config.stain, LIGHT, random)
            yield he * 2 - 1, target * 2 - 1, ihc * 2 - 1

    def step(self, batch: Batch, progress: float) -> Mapping[str, Tensor | float]:
        """Learn from one batch."""
        he, target, ihc = batch
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate.at(progress)
        virtual = self.generator(he).float()
        terms = self.objective.terms(self._plain(), he, virtual, target)
        loss = self.objective.total(terms)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if self.config.clip is not None:
            self.fabric.clip_gradients(
                self.generator, self.optimizer, max_norm=self.config.clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        self._average()
        beside = self.objective.learn(virtual, ihc)
        return {"loss": loss.detach(), **{name: term.detach() for name, term in terms.items()}, **beside}

    def end_epoch(self, epoch: int) -> Numbers:
        """Judge the running mean on validation pairs: how far it is, and how well its DAB agrees."""
        network, loss, judged = self.average, 0.0, []
        paint = painter(network)
        for pair in self.watched:
            virtual = paint(pair)
            wanted, found = as_batch(pair.target), as_batch(virtual)
            density = density_distance(found, wanted, quantile=self.config.quantile)
            loss += float(self.config.colour * colour_distance(found, wanted) + self.config.density * density)
            judged.append(judge(virtual, pair.ihc))
        loss /= len(self.watched)
        self.rate.end_epoch(loss)
        mean = mean_judgement(judged)
        figures = {"loss": loss, **mean, "agreement": (mean["dab_correlation"] + mean["dice"]) / 2}
        named = {f"{self.prefix}_{name}": value for name, value in figures.items()}
        return {**named, "learning_rate": self.rate.at(float(epoch))}

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        return {
            "generator": self._plain().state_dict(),
            "average": self.average.state_dict(),
            "averaged": self.averaged,
            "optimizer": self.optimizer.state_dict(),
            "objective": self.objective.state(),
            "rate": self.rate.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state."""
        self._plain().load_state_dict(state["generator"])
        self.average.load_state_dict(state["average"])
        self.averaged = int(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.objective.restore(state["objective"])
        self.rate.restore(state["rate"])
        self.begun = True

    def best_weights(self) -> dict[str, Tensor]:
        """Return the running mean of the weights in the published layout."""
        return dict(self.average.state_dict())

    def draw(self, epoch: int) -> RGBImage:  # noqa: ARG002
        """Return H&E, virtual and real IHC of the same few pairs, one below the other."""
        paint = painter(self.average)
        return np.vstack([strip(pair, paint) for pair in self.watched[:SHOWN]])

    def finish(self, run: RunFolder, weights: Path) -> dict[str, Any]:
        """Judge the best weights on the test pairs (validation pairs where there are none), beside the baselines."""
        subset = next(each for each in (Subset.TEST, Subset.VAL, Subset.TRAIN) if len(self.fields[each]))
        pairs = self.fields[subset].pairs(JUDGED)
        paint = painter(load_weights(CARD, weights).module.to(self.fabric.device))
        methods = {
            "figures": paint,
            "identity": identity,
            "mean_colour": recolouring(self.training.pairs(SOLVED)),
        }
        found: dict[str, Any] = {
            name: mean_judgement([judge(method(pair), pair.ihc) for pair in pairs]) for name, method in methods.items()
        }
        return {
            "recipe": self.config.recipe.value,
            "kind": "virtual-stain",
            "seconds": run.status().seconds,
            "subset": subset.value,
            "pairs": len(pairs),
            **found,
            "pictures": _keep_pictures(run, pairs[:PICTURES], paint),
        }

    def _begin(self) -> None:
        """Give the generator its start weights, unless it goes on from a checkpoint."""
        if self.begun:
            return
        solved = self.config.start == "solved"
        if self.config.start != "random":
            self._plain().load_state_dict(self._solved().state_dict() if solved else _stored(self.config.start))
        self.average.load_state_dict(self._plain().state_dict())
        self.begun = True
        self.progress("training", 0, 1)

    def _solved(self) -> ResnetGenerator:
        """Return a generator whose decoder is solved on whole fields, with DAB as measured: a gain would blur it."""
        self.progress("solving the decoder", 0, 1)
        rng = np.random.default_rng(self.config.seed)
        batches = []
        for fields, most in ((self.training, SOLVED), (self.simulated, SOLVED_SIMULATED)):
            for pair in replace(fields, gain=1.0).pairs(most):
                he = restain_image(rng, pair.he, pair.white, mix=0.03, strength=0.15)
                batches.append((as_batch(he), as_batch(pair.target)))
        generator = ResnetGenerator()
        solve_start(generator, batches)
        return generator

    def _crop(self, rng: np.random.Generator) -> Any:
        simulated = len(self.simulated) and rng.random() < self.config.phantom_share
        fields = self.simulated if simulated else self.training
        return fields.crop(rng, int(rng.integers(len(fields))), self.config.crop_px)

    def _plain(self) -> ResnetGenerator:
        module: ResnetGenerator = self.generator.module
        return module

    @torch.no_grad()
    def _average(self) -> None:
        """Take today's weights into the running mean, faster in the first steps."""
        self.averaged += 1
        share = 1 - min(self.config.ema, self.averaged / (self.averaged + 9.0))
        for mean, value in zip(self.average.parameters(), self._plain().parameters(), strict=True):
            mean.lerp_(value, share)
        for kept, buffer in zip(self.average.buffers(), self._plain().buffers(), strict=True):
            kept.copy_(buffer)  # vectors of the spectral norms; their mean belongs to no weights


def _keep_pictures(run: RunFolder, pairs: Sequence[Pair], paint: Method) -> list[dict[str, str]]:
    run.pictures.mkdir(exist_ok=True)
    kept = []
    for number, pair in enumerate(pairs, 1):
        name = f"pair-{number:02d}.png"
        (run.pictures / name).write_bytes(encode_png(strip(pair, paint)))
        kept.append({"picture": f"{run.pictures.name}/{name}", "case": pair.case})
    return kept


def _stored(start: str) -> dict[str, Tensor]:
    entry = read_manifest(get_settings().weights_dir).get(CARD.name) if start == "bundled" else None
    if start == "bundled" and entry is None:
        raise WeightsError(f"{CARD.title} has no bundled weights to start from. Set start to random or solved.")
    return load_weights(CARD, Path(start) if entry is None else entry.paths).module.state_dict()
