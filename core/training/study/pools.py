"""Synthetic images of one fold: as the generator paints them, and those of them that pass the quality filter."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.models.medsyngan import Generator
from core.quality.filter import FilterSettings, Verdict, judge_images
from core.training.run_folder import disk_error
from core.training.study.trainers import Draws
from core.types import RGBImage

BATCH = 128
"""Images drawn and judged at once."""

Probs = npt.NDArray[np.float64]
Look = Callable[[RGBImage], tuple[Probs, Probs | None]]
"""(N, H, W, 3) images to the (N, C) probabilities of the classifier that filters, and of a second one if any."""

Report = Callable[[int, int], None]
"""Told how many images of how many are there; may raise CancelledError."""


@dataclass(frozen=True)
class Pool:
    """Synthetic images, the same ones in every larger set.

    Attributes:
        images: (N, H, W, 3) uint8 RGB.
        labels: (N,) class indices.
    """

    images: RGBImage
    labels: npt.NDArray[np.int64]

    def first(self, counts: Mapping[int, int]) -> "Pool":
        """Return the first so many images of each class, or as many as there are."""
        rows = [np.flatnonzero(self.labels == label)[:count] for label, count in sorted(counts.items())]
        chosen = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        return Pool(self.images[chosen], self.labels[chosen])

    def save(self, path: Path) -> None:
        """Write the pool whole or not at all.

        Raises:
            StorageError: the disk refused it.
        """
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                np.savez(file, images=self.images, labels=self.labels)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise disk_error(error) from error


@dataclass(frozen=True)
class Filtered:
    """What came of a filtering.

    Attributes:
        drawn, accepted: images of each class, in the order of the classes.
        first, every: images by the first check that they failed, and by each.
    """

    pool: Pool
    drawn: tuple[int, ...]
    accepted: tuple[int, ...]
    first: dict[str, int]
    every: dict[str, int]


def read_pool(path: Path) -> Pool:
    """Read a pool that was saved."""
    with np.load(path, allow_pickle=False) as stored:
        return Pool(stored["images"], stored["labels"])


def draw(generator: Generator, counts: Mapping[int, int], *, seed: int, report: Report) -> Pool:
    """Take images as they come.

    Args:
        counts: images of each class index.
    """
    images: list[RGBImage] = []
    labels: list[npt.NDArray[np.int64]] = []
    total = sum(counts.values())
    for label, count in sorted(counts.items()):
        draws = Draws(generator, label, seed=seed)
        for start in range(0, count, BATCH):
            report(sum(len(some) for some in images), total)
            images.append(draws.take(min(BATCH, count - start)))
            labels.append(np.full(len(images[-1]), label, np.int64))
    return _pool(images, labels)


def draw_filtered(
    generator: Generator,
    counts: Mapping[int, int],
    look: Look,
    *,
    classes: tuple[str, ...],
    draws: int,
    seed: int,
    report: Report,
) -> Filtered:
    """Take images that pass the quality filter, from the same row as `draw`.

    Args:
        counts: images wanted of each class index.
        draws: images drawn at most for each that is wanted; a class may end up with fewer.
    """
    images: list[RGBImage] = []
    labels: list[npt.NDArray[np.int64]] = []
    drawn, accepted = [0] * len(classes), [0] * len(classes)
    first: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for label, wanted in sorted(counts.items()):
        row = Draws(generator, label, seed=seed)
        while accepted[label] < wanted and drawn[label] < draws * wanted:
            report(sum(accepted), sum(counts.values()))
            some = row.take(min(BATCH, draws * wanted - drawn[label]))
            verdicts = _judge(some, classes[label], look, classes)
            kept = some[[verdict.accepted for verdict in verdicts]]
            images.append(kept[: max(0, wanted - accepted[label])])
            labels.append(np.full(len(images[-1]), label, np.int64))
            drawn[label] += len(some)
            accepted[label] += len(kept)
            for verdict in verdicts:
                reasons = [rejection.reason.value for rejection in verdict.reasons]
                first.update(reasons[:1])
                every.update(dict.fromkeys(reasons, 1))
    return Filtered(_pool(images, labels), tuple(drawn), tuple(accepted), dict(first), dict(every))


def _judge(images: RGBImage, label: str, look: Look, classes: tuple[str, ...]) -> tuple[Verdict, ...]:
    probs, second = look(images)
    settings = FilterSettings(second_model=second is not None)
    named = [label] * len(images)
    return judge_images(images, labels=named, probs=probs, classes=classes, second=second, settings=settings)


def _pool(images: list[RGBImage], labels: list[npt.NDArray[np.int64]]) -> Pool:
    if not images:
        return Pool(np.zeros((0, 128, 128, 3), np.uint8), np.zeros(0, np.int64))
    return Pool(np.concatenate(images), np.concatenate(labels))
