"""What the answers amount to: accuracy, sensitivity and d' for real or synthetic; kappa for scores; with intervals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from core.reading.round import SYNTHETIC, Answer, Question
from core.training.judging.metrics import Confusions, kappa_of, wilson

RESAMPLES = 2000
LEAST_FOR_INTERVAL = 5
"""Images below which a bootstrap says nothing."""


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval, and the counts it rests on."""

    hits: int
    count: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Accuracy:
    """How well one reader told images apart.

    Attributes:
        right: share of right answers, Wilson interval.
        found: share of the synthetic images that were called synthetic (sensitivity).
        spared: share of the real images that were called real (specificity).
        d_prime: separation in standard deviations, 0 for guessing; None without images of both kinds.
    """

    right: Share
    found: Share
    spared: Share
    d_prime: float | None


@dataclass(frozen=True)
class Kappa:
    """Agreement of two readers beyond chance.

    Attributes:
        first, second: who is compared.
        images: number that both have answered.
        agree: share of equal answers.
        value: Cohen's kappa: quadratic weights for HER2, none for PR; 0 where one side always says the same.
        low, high: 95 % bootstrap interval over images; None with fewer than `LEAST_FOR_INTERVAL` images.
    """

    first: str
    second: str
    images: int
    agree: Share
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Mistaken:
    """An image and how often it was mistaken; `wrong` of `answers`."""

    item_id: str
    wrong: int
    answers: int


def share_of(hits: int, count: int) -> Share:
    """Return a share with its Wilson interval."""
    low, high = wilson(hits, count)
    return Share(hits, count, hits / count if count else 0.0, low, high)


def accuracy_of(answers: Iterable[Answer], truth: Mapping[str, str]) -> Accuracy:
    """Judge one reader's answers about real and synthetic images.

    Args:
        truth: "real" or "synthetic" by item; others are passed over.
    """
    known = [(answer.value, truth[answer.item_id]) for answer in answers if truth.get(answer.item_id)]
    synthetic = [value == SYNTHETIC for value, right in known if right == SYNTHETIC]
    real = [value != SYNTHETIC for value, right in known if right != SYNTHETIC]
    return Accuracy(
        share_of(sum(synthetic) + sum(real), len(known)),
        share_of(sum(synthetic), len(synthetic)),
        share_of(sum(real), len(real)),
        _d_prime(sum(synthetic), len(synthetic), len(real) - sum(real), len(real)),
    )


def most_mistaken(answers: Iterable[Answer], truth: Mapping[str, str]) -> list[Mistaken]:
    """Return the images that were mistaken at least once, the most often mistaken first."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for answer in answers:
        if truth.get(answer.item_id):
            counts[answer.item_id][0] += answer.value != truth[answer.item_id]
            counts[answer.item_id][1] += 1
    found = [Mistaken(item_id, wrong, total) for item_id, (wrong, total) in counts.items() if wrong]
    return sorted(found, key=lambda each: (-each.wrong / each.answers, -each.wrong, each.item_id))


def kappa_between(
    question: Question, first: tuple[str, Mapping[str, str]], second: tuple[str, Mapping[str, str]], *, seed: int = 0
) -> Kappa | None:
    """Compare two readers, or a reader with the model or the data set.

    Args:
        first, second: a name, and the answers by item; those the question does not know are passed over.
        seed: of the bootstrap.
    Returns:
        None where they have no image in common.
    Source: Cohen 1960 and 1968.
    """
    known = question.answers
    both = [
        (known.index(first[1][item]), known.index(second[1][item]))
        for item in sorted(first[1])
        if first[1][item] in known and second[1].get(item) in known
    ]
    if not both:
        return None
    single = np.zeros((len(both), len(known), len(known)))
    single[np.arange(len(both)), [a for a, _ in both], [b for _, b in both]] = 1
    quadratic = question is Question.HER2
    value = float(kappa_of(single.sum(0), quadratic=quadratic))
    low, high = _bootstrap(single, quadratic=quadratic, seed=seed)
    agree = share_of(sum(a == b for a, b in both), len(both))
    return Kappa(first[0], second[0], len(both), agree, value, low, high)


def kappas(
    question: Question, readers: Mapping[str, Mapping[str, str]], others: Mapping[str, Mapping[str, str]]
) -> list[Kappa]:
    """Compare every pair of readers, and each reader with each of the others (the model, the data set's classes)."""
    names = list(readers)
    pairs: Sequence[tuple[tuple[str, Mapping[str, str]], tuple[str, Mapping[str, str]]]] = [
        *(((a, readers[a]), (b, readers[b])) for place, a in enumerate(names) for b in names[place + 1 :]),
        *(((a, readers[a]), other) for other in others.items() for a in names),
    ]
    return [found for a, b in pairs if (found := kappa_between(question, a, b)) is not None]


def _d_prime(hits: int, synthetic: int, false_alarms: int, real: int) -> float | None:
    """Source: Macmillan and Creelman 2005; half an answer is added to each count, so that 0 and 1 stay finite."""
    if not synthetic or not real:
        return None
    hit, alarm = (hits + 0.5) / (synthetic + 1), (false_alarms + 0.5) / (real + 1)
    return NormalDist().inv_cdf(hit) - NormalDist().inv_cdf(alarm)


def _bootstrap(single: Confusions, *, quadratic: bool, seed: int) -> tuple[float | None, float | None]:
    count = len(single)
    if count < LEAST_FOR_INTERVAL:
        return None, None
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    drawn = kappa_of(np.tensordot(times.astype(np.float64), single, 1), quadratic=quadratic)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
