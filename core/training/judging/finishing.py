"""The end of a classifier's training: judge, calibrate, describe; everything that travels with the weights."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax
from torch import nn

from core.models.card import ModelCard
from core.quality.appearance import appearance
from core.quality.novelty import Novelty, case_distances
from core.quality.novelty_fit import fit_crosswise
from core.training.config import ClassifierConfig, Recipe
from core.training.data.items import DataSet, Subset
from core.training.data.tile_cache import TileCache
from core.training.judging.beside_weights import write_beside
from core.training.judging.error_pictures import write_errors
from core.training.judging.evaluation import evaluate_classifier
from core.training.judging.fitting import fit_calibration
from core.training.judging.held_out import HeldOut
from core.training.run_folder import RunFolder
from core.types import Progress, RGBImage, no_progress

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Predict = Callable[[RGBImage], tuple[Floats, Floats]]
"""(N, px, px, 3) uint8 tiles to (N, C) logits and (N, F) pooled features."""

CHUNK = 256
"""Tiles between two reports of progress."""

SEEN_TILES = 1000
"""Training tiles, spread over their cases, that tell what is usual and how much better the network does on them."""

MIN_SEEN = 10
"""Training tiles below which nothing can be said about what is usual."""


@dataclass(frozen=True)
class _Part:
    """One subset: which tiles, and what the network says of them."""

    rows: Indices
    held: HeldOut
    features: Floats
    looks: Floats

    def at(self, places: Indices) -> "_Part":
        """Return some of the tiles."""
        held = replace(
            self.held,
            logits=self.held.logits[places],
            labels=self.held.labels[places],
            cases=self.held.cases[places],
        )
        return _Part(self.rows[places], held, self.features[places], self.looks[places])

    def distances(self, novelty: Novelty) -> npt.NDArray[np.float64]:
        """Return the distance of every case."""
        return case_distances(novelty.distances(self.features, self.looks), self.held.cases)


def finish_classifier(
    run: RunFolder,
    *,
    predict: Predict,
    network: nn.Module,
    card: ModelCard,
    recipe: Recipe,
    cache: TileCache,
    data: DataSet,
    config: ClassifierConfig,
    weights: Path,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Judge the best weights on held-out tiles and write what belongs beside them.

    Beside `weights`: the sidecar, the feature statistics and a model card; in the run's `pictures`: the worst errors.
    What an earlier end of the same run left there is replaced.

    Args:
        network: with the best weights, in evaluation mode; for the heat maps.
        card: whose input and normalisation the network has; its classes are the data set's.
        weights: the file that was just written.
    Returns:
        the figures, as `core.training.judging.evaluation` describes them.
    Raises:
        StorageError: the disk refused a file.
    """
    seen = _answer(predict, cache, data, _spread(cache.of(Subset.TRAIN), np.array(cache.cases), SEEN_TILES), progress)
    validation = _answer(predict, cache, data, cache.of(Subset.VAL), progress)
    test = _answer(predict, cache, data, cache.of(Subset.TEST), progress)
    fitted = fit_calibration(validation.held, coverage=config.coverage)
    judged, subset, notes = _judged(seen, validation, test, data)
    evaluation = evaluate_classifier(judged.held, fitted, subset=subset, gap=_gap(seen, validation), notes=notes)
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    novelty = _novelty(seen, validation, test, sha256)
    evaluation["novelty"] = _novelty_figures(novelty, test)
    evaluation["errors"] = write_errors(
        run.pictures, judged.held, cache.tiles, judged.rows,
        temperature=fitted.temperature, files=[_file(data, int(cache.items[row])) for row in judged.rows],
        network=network, card=replace(card, labels=data.classes),
    )  # fmt: skip
    evaluation["recipe"] = recipe.value
    write_beside(weights, run, recipe, data, fitted, novelty, evaluation, sha256)
    return evaluation


def _answer(predict: Predict, cache: TileCache, data: DataSet, rows: Indices, progress: Progress) -> _Part:
    logits, features = [np.zeros((0, len(data.classes)), np.float32)], []
    looks = [appearance(cache.tiles[:0])]
    for start in range(0, len(rows), CHUNK):
        progress("judging the best weights", start, len(rows))
        tiles = np.asarray(cache.tiles[rows[start : start + CHUNK]])
        answer = predict(tiles)
        logits.append(answer[0])
        features.append(answer[1])
        looks.append(appearance(tiles))
    cases = np.array(cache.cases, dtype=str)[rows]
    held = HeldOut(np.concatenate(logits), cache.labels[rows], cases, data.classes, data.cases_known)
    pooled = np.concatenate(features) if features else np.zeros((0, 0), np.float32)
    return _Part(rows, held, pooled, np.concatenate(looks))


def _spread(rows: Indices, cases: npt.NDArray[np.str_], limit: int) -> Indices:
    """Choose at most `limit` rows, as evenly over the cases (of all rows) as they allow."""
    if len(rows) <= limit:
        return rows
    rng = np.random.default_rng(0)
    names = cases[rows]
    turn = np.empty(len(rows))
    for name in np.unique(names):
        own = np.flatnonzero(names == name)
        turn[own] = rng.permutation(len(own)) + rng.random()
    return np.asarray(np.sort(rows[np.argsort(turn, kind="stable")[:limit]]), np.int64)


def _judged(seen: _Part, validation: _Part, test: _Part, data: DataSet) -> tuple[_Part, str, tuple[str, ...]]:
    """Choose the tiles whose figures are shown, and what must be said about them."""
    notes = []
    if not data.cases_known:
        notes.append(
            "Which patient an image is from is unknown: it was split by file, and one patient may be on both sides. "
            "Figures on new patients can be lower."
        )
    if len(test.rows):
        return test, Subset.TEST.value, tuple(notes)
    if len(validation.rows):
        notes.append("There are no test images: these figures are of the validation images that chose the weights.")
        return validation, Subset.VAL.value, tuple(notes)
    notes.append("Nothing was held out: these figures are of training images and say nothing about new ones.")
    return seen, Subset.TRAIN.value, tuple(notes)


def _gap(seen: _Part, validation: _Part) -> dict[str, float | None]:
    """Accuracy and loss on tiles it has learnt from, and on validation tiles; every class weighs the same."""
    figures: dict[str, float | None] = {}
    for name, part in (("train", seen), ("val", validation)):
        labels, found = part.held.labels, len(part.rows) > 0
        losses = -log_softmax(part.held.logits, axis=1)[np.arange(len(labels)), labels]
        per_class = [losses[labels == label].mean() for label in np.unique(labels)]
        figures[f"{name}_accuracy"] = float((part.held.predicted == labels).mean()) if found else None
        figures[f"{name}_loss"] = float(np.mean(per_class)) if found else None
    return figures


def _novelty(seen: _Part, validation: _Part, test: _Part, sha256: str) -> Novelty | None:
    """What training and validation tiles look like (test tiles, without the latter); None where too few are there."""
    held = validation if len(validation.rows) else test
    if len(seen.rows) < MIN_SEEN or not len(held.rows):
        return None
    held = held.at(_spread(np.arange(len(held.rows)), held.held.cases, SEEN_TILES))
    features = np.concatenate([seen.features, held.features])
    looks = np.concatenate([seen.looks, held.looks])
    cases = np.concatenate([seen.held.cases, held.held.cases])
    if not np.isfinite(features).all():
        return None
    found = fit_crosswise(features, looks, cases, np.arange(len(cases)) >= len(seen.rows))
    return None if found is None else replace(found, sha256=sha256)


def _novelty_figures(novelty: Novelty | None, test: _Part) -> dict[str, Any] | None:
    if novelty is None:
        return None
    distances = test.distances(novelty) if len(test.rows) else np.zeros(0)
    return {
        "threshold": novelty.threshold,
        "quantile": novelty.quantile,
        "fitted_cases": novelty.cases,
        "false_alarms": int((distances > novelty.threshold).sum()),
        "cases": len(distances),
    }


def _file(data: DataSet, item: int) -> str:
    path = data.items[item].path
    return str(path.relative_to(data.root)) if path.is_relative_to(data.root) else path.name
