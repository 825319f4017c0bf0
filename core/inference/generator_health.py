"""Samples of a generator's active weights, held against real tiles that it never saw."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from core.inference.engine import Engine
from core.inference.filtering import classify_images
from core.inference.scoring import CLASSIFIER
from core.inference.synthesis import SEEDS, SampleSpec, check_wish, iter_samples
from core.inference.tile_features import NETWORK, tile_features
from core.inference.training_index import require_index
from core.labels import CLASSES
from core.models.registry import get_card
from core.quality import generative
from core.quality.health import Judged, share_out
from core.quality.health_figures import judge
from core.types import Progress, RGBImage, no_progress

DEFAULT_COUNT = 500
SHOWN = 24
"""Images of a class that are kept to be looked at."""

_STAGES = {"sampling": (0.0, 0.15), "looking at tiles": (0.15, 0.35), "reading the classes": (0.35, 0.6)}
"""Where each step begins and ends on the whole way; what is not named comes last."""


@dataclass(frozen=True)
class Shown:
    """One synthetic image that is kept to be looked at, and what it was made from."""

    spec: SampleSpec
    image: RGBImage
    named: str


@dataclass(frozen=True)
class GeneratorHealth:
    """How good a generator's images are.

    Attributes:
        model, title, weights_sha256: whose they are.
        features_title, features_sha256: the network whose features the images were compared in.
        classifier, classifier_sha256: the title of the network that named their classes; empty where none knows them.
        created: UTC, ISO 8601. seconds: that it took.
        count, seed, truncation: what was sampled: the seed and those that follow it.
        training, held_out, held_out_cases: real tiles that it rests on.
        shown: some images of each class.
    """

    model: str
    title: str
    weights_sha256: str
    features_title: str
    features_sha256: str
    classifier: str
    classifier_sha256: str
    created: str
    seconds: float
    count: int
    seed: int
    truncation: float
    training: int
    held_out: int
    held_out_cases: int
    judged: Judged
    shown: tuple[Shown, ...]


def check_generator(
    engine: Engine,
    name: str,
    *,
    count: int = DEFAULT_COUNT,
    seed: int = 0,
    truncation: float = 1.0,
    progress: Progress = no_progress,
) -> GeneratorHealth:
    """Sample images of all classes and measure how good they are.

    Args:
        name: of the generator.
        count: images, shared out among the classes as the held-out tiles are.
    Raises:
        InvalidOptionError: a count, seed or truncation out of its range.
        WeightsError: the weights bring no usable index of their training tiles.
        ModelUnavailableError: the generator or a classifier has no usable weights.
        CancelledError: from `progress`.
    """
    began = time.monotonic()
    progress = _staged(progress)
    card = get_card(name)
    check_wish(count, seed, truncation, card.labels[0], card.labels)
    index = require_index(engine, name)
    labels = np.repeat(np.arange(len(index.classes)), share_out(index, count))
    specs = [SampleSpec(index.classes[k], (seed + place) % SEEDS, truncation) for place, k in enumerate(labels)]
    images = np.concatenate([some for _, some in iter_samples(engine, name, specs, progress=progress)])
    features = tile_features(engine, images, progress=progress)
    classifier = CLASSIFIER[card.marker] if card.marker and CLASSES[card.marker] == index.classes else ""
    named = None
    if classifier:
        probs = classify_images(engine, classifier, images, progress=progress)
        named = np.where(np.isfinite(probs).all(axis=1), np.nan_to_num(probs).argmax(axis=1), -1).astype(np.int64)
    judged = judge(index, features, labels, small=generative.shrink(images), named=named, progress=progress)
    kept = [row for k in range(len(index.classes)) for row in np.flatnonzero(labels == k)[:SHOWN]]
    words = [index.classes[int(named[row])] if named is not None and named[row] >= 0 else "" for row in kept]
    return GeneratorHealth(
        model=name,
        title=card.title,
        weights_sha256=index.weights_sha256,
        features_title=get_card(NETWORK).title,
        features_sha256=index.features_sha256,
        classifier=get_card(classifier).title if classifier else "",
        classifier_sha256=(engine.state(classifier).sha256 or "") if classifier else "",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 1),
        count=count,
        seed=seed,
        truncation=truncation,
        training=len(index.features),
        held_out=len(index.held_out),
        held_out_cases=len(np.unique(index.held_out_cases)),
        judged=judged,
        shown=tuple(Shown(specs[row], images[row], word) for row, word in zip(kept, words, strict=True)),
    )


def _staged(progress: Progress) -> Progress:
    """One bar for all steps."""

    def report(step: str, done: int, total: int) -> None:
        start, end = _STAGES.get(step, (0.6, 1.0))
        share = start + (end - start) * (done / total if total else 0.0)
        progress(step, round(1000 * share), 1000)

    return report
