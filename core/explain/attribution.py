"""Explanations from outside the network: cover parts of a tile with empty glass and watch the answer.

Both run Captum over the engine's own classifier, so they explain exactly what scores the image, on any backend. What is
watched is the log odds of the class, in which evidence adds up; the probability of a sure answer hardly moves.
Sources: Ribeiro et al. 2016 (LIME, https://arxiv.org/abs/1602.04938), Zeiler and Fergus 2014 (occlusion,
https://arxiv.org/abs/1311.2901), Kokhlikyan et al. 2020 (Captum, https://arxiv.org/abs/2009.07896).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import InvalidOptionError
from core.explain.covering import CELLS, Regions, cell_regions, cover
from core.inference.classification import softmax, temperature_of
from core.inference.engine import Engine
from core.labels import Perturbation
from core.stains.separation import White
from core.types import Heatmap, Progress, RGBImage, no_progress

BATCH = 16
"""Changed copies that are scored between two reports of progress."""

MIN_SAMPLES, MAX_SAMPLES = 50, 2000
SUPERPIXELS = 50
KERNEL_WIDTH = 0.25
"""How quickly a copy counts less the more of it is covered; that of the authors' code for images."""

RIDGE = 1.0
WINDOW_CELLS = 2
"""Side of the window that is covered, in cells; it moves by one of them."""

LEAST_P = 1e-6

Classify = Callable[[RGBImage], npt.NDArray[np.float32]]
"""(N, px, px, 3) uint8 RGB to (N, C) class probabilities."""


@dataclass(frozen=True)
class Attribution:
    """One explanation of one tile.

    Attributes:
        heatmap: (px, px) float32 in [0, 1]: places whose covering lowers the answer, divided by the strongest; all
            zeros where none does.
        opposing: share of the whole effect that speaks against the class instead and is not shown, in [0, 1].
        answers: how often the network was asked.
        fit: share of the answers' variance that LIME's linear model explains (weighted R squared, at most 1).
    """

    method: Perturbation
    heatmap: Heatmap
    opposing: float
    answers: int
    seconds: float
    fit: float | None = None


class Answers:
    """What a network answers on changed copies of a tile: in batches, counted, with progress.

    Attributes:
        count: copies scored so far.
        step: what they are scored for, in the user's words.
    """

    def __init__(self, classify: Classify, target: int, *, progress: Progress = no_progress, planned: int = 0) -> None:
        """Ask nothing yet.

        Args:
            target: index of the class whose probability is watched.
            progress: called before every batch; raises CancelledError to stop the work.
            planned: answers expected in all, for the progress.
        """
        self._classify = classify
        self._target = target
        self._progress = progress
        self._planned = planned
        self._spent = 0
        self.count = 0
        self.step = "scoring"

    def __call__(self, tiles: RGBImage) -> npt.NDArray[np.float64]:
        """Return the class's probability in each of (N, px, px, 3) uint8 tiles, (N,)."""
        found = [np.zeros(0)]
        for start in range(0, len(tiles), BATCH):
            batch = tiles[start : start + BATCH]
            self.spend(0)
            found.append(self._classify(batch)[:, self._target].astype(np.float64))
            self.count += len(batch)
            self.spend(len(batch))
        return np.concatenate(found)

    def spend(self, work: int) -> None:
        """Report work that took as long as so many answers; raises CancelledError where it was cancelled."""
        self._spent += work
        self._progress(self.step, min(self._spent, self._planned), max(self._planned, 1))


def classifier_of(engine: Engine, name: str) -> Classify:
    """Return a network's calibrated probabilities as a function of tiles."""
    temperature = temperature_of(engine.extras(name))
    return lambda tiles: softmax(engine.classify(name, tiles) / temperature)


def log_odds(probs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ln(p / (1 - p)) of probabilities, which are kept away from 0 and 1."""
    inside = np.clip(probs, LEAST_P, 1 - LEAST_P)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def attribute(
    method: Perturbation, tile: RGBImage, answers: Answers, *, glass: White, samples: int = 300, seed: int = 0
) -> Attribution:
    """Explain one tile with LIME or occlusion.

    Args:
        tile: (px, px, 3) uint8 RGB as the network sees it.
        glass: (3,) RGB in [0, 255] of empty glass, which covered places show.
        samples: of LIME.
        seed: of LIME; the same seed gives the same heat map.
    Raises:
        InvalidOptionError: too few or too many samples.
        CancelledError: raised by the progress of `answers`.
    """
    if method is Perturbation.LIME:
        return lime(tile, answers, glass=glass, samples=samples, seed=seed)
    return occlusion(tile, answers, glass=glass)


def lime(tile: RGBImage, answers: Answers, *, glass: White, samples: int = 300, seed: int = 0) -> Attribution:
    """Fit a linear model of which superpixels carry the answer (LIME); arguments as `attribute`.

    Half of the superpixels are covered at random in each copy; copies near the whole tile count more.
    """
    if not MIN_SAMPLES <= samples <= MAX_SAMPLES:
        raise InvalidOptionError(f"LIME with {samples} samples: choose between {MIN_SAMPLES} and {MAX_SAMPLES}.")
    from captum._utils.models.linear_model import SkLearnRidge
    from captum.attr import Lime
    from skimage.segmentation import slic

    start, before = time.perf_counter(), answers.count
    answers.step = Perturbation.LIME.value
    segments = slic(tile, n_segments=SUPERPIXELS, compactness=10, sigma=1, start_label=0, channel_axis=-1)
    regions = segments.astype(np.intp)
    shown = np.random.default_rng(seed).integers(0, 2, (samples, int(regions.max()) + 1))  # (samples, superpixels)
    shown[0] = 1
    weights = np.exp(-((1 - np.sqrt(shown.mean(axis=1))) ** 2) / (2 * KERNEL_WIDTH**2))
    rows, near = iter(shown), iter(weights)
    outputs: list[npt.NDArray[np.float64]] = []

    def perturb(_inputs: Tensor, **_options: object) -> Iterator[Tensor]:
        yield from (torch.from_numpy(row)[None] for row in rows)

    explainer = Lime(
        _forward(tile, regions, answers, glass, outputs),
        interpretable_model=SkLearnRidge(alpha=RIDGE),
        similarity_func=lambda *_inputs, **_options: torch.tensor([next(near)]),
        perturb_func=perturb,
    )
    found = explainer.attribute(
        torch.ones(1, shown.shape[1]), baselines=0, n_samples=samples, perturbations_per_eval=BATCH
    )
    effects = found.numpy().ravel().astype(np.float64)  # (superpixels,)
    heatmap, opposing = _support(effects[regions])
    fit = _fit(effects, shown, np.concatenate(outputs), weights)
    return Attribution(Perturbation.LIME, heatmap, opposing, answers.count - before, time.perf_counter() - start, fit)


def occlusion(tile: RGBImage, answers: Answers, *, glass: White) -> Attribution:
    """Cover one window after the other and see how far the answer falls; arguments as `attribute`."""
    from captum.attr import Occlusion

    start, before = time.perf_counter(), answers.count
    answers.step = Perturbation.OCCLUSION.value.lower()
    regions = cell_regions(tile.shape[0])
    found = Occlusion(_forward(tile, regions, answers, glass, [])).attribute(
        torch.ones(1, CELLS, CELLS),
        sliding_window_shapes=(WINDOW_CELLS, WINDOW_CELLS),
        strides=(1, 1),
        baselines=0,
        perturbations_per_eval=BATCH,
    )
    heatmap, opposing = _support(found.numpy().ravel().astype(np.float64)[regions])
    seconds = time.perf_counter() - start
    return Attribution(Perturbation.OCCLUSION, heatmap, opposing, answers.count - before, seconds)


def answers_needed(method: Perturbation, samples: int) -> int:
    """How often a method asks the network about a tile."""
    return samples if method is Perturbation.LIME else 1 + (CELLS - WINDOW_CELLS + 1) ** 2


def _forward(
    tile: RGBImage, regions: Regions, answers: Answers, glass: White, kept: list[npt.NDArray[np.float64]]
) -> Callable[[Tensor], Tensor]:
    """The log odds of the tile with some parts covered, as Captum asks for them; they are kept as well.

    Captum handles which parts are shown, not the pixels: its steps on whole tiles would take longer than the network.
    """

    def forward(shown: Tensor) -> Tensor:
        parts = shown.flatten(1).numpy() > 0.5  # (N, parts)
        kept.append(log_odds(answers(cover(tile, regions, parts, glass))))
        return torch.from_numpy(kept[-1]).float()

    return forward


def _support(effects: npt.NDArray[np.float64]) -> tuple[Heatmap, float]:
    """Positive effects as a heat map, and the share of all effects that is negative."""
    positive = np.maximum(effects, 0)
    total, peak = float(np.abs(effects).sum()), float(positive.max())
    heatmap = positive / peak if peak > 0 else positive
    return heatmap.astype(np.float32), 1 - float(positive.sum()) / total if total > 0 else 0.0


def _fit(
    effects: npt.NDArray[np.float64],
    shown: npt.NDArray[np.int64],
    outputs: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
) -> float:
    """Weighted R squared of a linear model whose intercept is the best one."""
    linear = shown @ effects
    error = outputs - linear
    error -= np.average(error, weights=weights)
    spread = outputs - np.average(outputs, weights=weights)
    total = float((weights * spread**2).sum())
    return 1 - float((weights * error**2).sum()) / total if total > 0 else 0.0
