"""Gains over real images alone: paired, with intervals over cases and seeds, and a test for each kind of training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from core.training.judging.metrics import Interval, balanced_accuracy_of
from core.training.study.plan import REAL, Arm

Floats = npt.NDArray[np.float64]
Figure = Callable[[Floats], Floats]
"""(..., C, C) confusions, rows truth, to figures of shape (...)."""

ROUNDS = 4000
EXACT_PAIRS = 14
"""Up to so many pairs all signs are tried; beyond, as many are drawn as `ROUNDS` says."""


@dataclass(frozen=True)
class Answer:
    """What one classifier said of the test tiles of its fold.

    Attributes:
        confusions: by case, (C, C) counts, rows truth, columns read as.
        synthetic: images that trained it beside the real ones; `real` of those.
    """

    arm: Arm
    fold: int
    seed: int
    confusions: Mapping[str, npt.NDArray[np.int64]]
    real: int = 0
    synthetic: int = 0


@dataclass(frozen=True)
class Gain:
    """One kind of training set beside real images alone, on the same test tiles.

    Attributes:
        pairs: classifiers of the same fold and seed that were compared.
        recalls: of each class; gains: by which each is higher than with real images alone.
        balanced, balanced_gain: mean of the classes, and its gain.
        better: pairs in which the balanced accuracy was higher, of those that differ (`differing`).
        p: of the balanced gain, two-sided, by flipping the signs of pairs; None for the real ones themselves.
        p_cases: the same, by exchanging the two answers on whole cases.
        p_holm, p_cases_holm: corrected for the number of kinds that were compared (Holm 1979).
        real, synthetic: tiles that trained a classifier, mean over the pairs.
    """

    arm: Arm
    pairs: int
    recalls: tuple[Interval, ...]
    gains: tuple[Interval, ...]
    balanced: Interval
    balanced_gain: Interval
    better: int = 0
    differing: int = 0
    p: float | None = None
    p_cases: float | None = None
    p_holm: float | None = None
    p_cases_holm: float | None = None
    real: float = 0.0
    synthetic: float = 0.0


def compare(answers: Sequence[Answer], classes: int, *, rounds: int = ROUNDS, seed: int = 0) -> tuple[Gain, ...]:
    """Compare every kind of training set with real images alone, pair by pair.

    Intervals are 95 %, from drawing cases and seeds again; the same draw for both sides of a pair.

    Args:
        answers: of one share of the real tiles; those without a partner are left out.
    Returns:
        Real alone first; nothing where it is not there.
    """
    by_arm: dict[Arm, dict[tuple[int, int], Answer]] = {}
    for answer in answers:
        by_arm.setdefault(answer.arm, {})[(answer.fold, answer.seed)] = answer
    real = by_arm.pop(REAL, {})
    found = [_gain(REAL, real, real, classes, rounds, seed)] if real else []
    for arm in sorted(by_arm, key=lambda each: (each.filtered, each.ratio)):
        if by_arm[arm].keys() & real.keys():
            found.append(_gain(arm, by_arm[arm], real, classes, rounds, seed))
    return _corrected(found)


def sign_flip(differences: Floats, *, rounds: int = ROUNDS, seed: int = 0) -> float:
    """Return the two-sided p value of a mean difference, by giving every pair either sign.

    With n pairs it can't be below 2 / 2**n. Source: Fisher 1935, The Design of Experiments.
    """
    count = len(differences)
    if count <= EXACT_PAIRS:
        signs = np.array(list(product((1.0, -1.0), repeat=count)))
    else:
        signs = np.random.default_rng(seed).choice((1.0, -1.0), (rounds, count))
    means = np.abs((signs * differences).mean(axis=1))
    extreme = int((means >= abs(differences.mean()) - 1e-12).sum())
    return extreme / len(signs) if count <= EXACT_PAIRS else (extreme + 1) / (rounds + 1)


def holm(values: Sequence[float]) -> list[float]:
    """Correct p values for their number. Source: Holm 1979, https://www.jstor.org/stable/4615733"""
    order = np.argsort(values)
    corrected, highest = [0.0] * len(values), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - place) * values[int(index)]))
        corrected[int(index)] = highest
    return corrected


def _gain(
    arm: Arm,
    mine: Mapping[tuple[int, int], Answer],
    real: Mapping[tuple[int, int], Answer],
    classes: int,
    rounds: int,
    seed: int,
) -> Gain:
    keys = sorted(mine.keys() & real.keys())
    ours, theirs = (_table([side[key] for key in keys], classes) for side in (mine, real))  # (S, K, C, C)
    draws = _draws(ours.shape[0], ours.shape[1], rounds, seed)
    recalls = [_recall(index) for index in range(classes)]
    differences = np.array([_balanced(mine[key]) - _balanced(real[key]) for key in keys])
    tested = arm != REAL
    return Gain(
        arm,
        pairs=len(keys),
        recalls=tuple(_interval(ours, None, figure, draws) for figure in recalls),
        gains=tuple(_interval(ours, theirs, figure, draws) for figure in recalls),
        balanced=_interval(ours, None, balanced_accuracy_of, draws),
        balanced_gain=_interval(ours, theirs, balanced_accuracy_of, draws),
        better=int((differences > 0).sum()),
        differing=int((differences != 0).sum()),
        p=sign_flip(differences, seed=seed) if tested else None,
        p_cases=_exchange(ours.sum(0), theirs.sum(0), rounds, seed) if tested else None,
        real=float(np.mean([mine[key].real for key in keys])),
        synthetic=float(np.mean([mine[key].synthetic for key in keys])),
    )


def _table(answers: Sequence[Answer], classes: int) -> Floats:
    """Return (seeds, cases, C, C) counts; zeros where a case was not tested with a seed."""
    seeds = sorted({answer.seed for answer in answers})
    cases = sorted({case for answer in answers for case in answer.confusions})
    table = np.zeros((len(seeds), len(cases), classes, classes))
    for answer in answers:
        for case, counts in answer.confusions.items():
            table[seeds.index(answer.seed), cases.index(case)] += counts
    return table


def _draws(seeds: int, cases: int, rounds: int, seed: int) -> tuple[Floats, Floats]:
    """Draw how often each seed and each case is taken: (R, S) and (R, K)."""
    rng = np.random.default_rng(seed)
    first, second = (rng.multinomial(n, np.full(n, 1 / n), size=rounds).astype(np.float64) for n in (seeds, cases))
    return first, second


def _interval(ours: Floats, theirs: Floats | None, figure: Figure, draws: tuple[Floats, Floats]) -> Interval:
    def value(weights: tuple[Floats, Floats]) -> Floats:
        found, *base = (
            figure(np.einsum("rs,rk,skij->rij", *weights, table, optimize=True))
            for table in (ours, theirs)
            if table is not None
        )
        return found - base[0] if base else found

    once = (np.ones((1, ours.shape[0])), np.ones((1, ours.shape[1])))
    low, high = np.percentile(value(draws), [2.5, 97.5])
    return Interval(float(value(once)[0]), float(low), float(high))


def _recall(index: int) -> Figure:
    def figure(confusions: Floats) -> Floats:
        count = confusions[..., index, :].sum(-1)
        return np.asarray(confusions[..., index, index] / np.maximum(count, 1))

    return figure


def _balanced(answer: Answer) -> float:
    return float(balanced_accuracy_of(np.sum(list(answer.confusions.values()), axis=0).astype(np.float64)))


def _exchange(ours: Floats, theirs: Floats, rounds: int, seed: int) -> float:
    """p of the balanced gain where the two answers on any case could as well be exchanged: (K, C, C) each."""
    swap = (np.random.default_rng(seed).random((rounds, len(ours))) < 0.5).astype(np.float64)
    moved = np.tensordot(swap, theirs - ours, 1)  # (R, C, C)
    drawn = balanced_accuracy_of(ours.sum(0) + moved) - balanced_accuracy_of(theirs.sum(0) - moved)
    seen = float(balanced_accuracy_of(ours.sum(0)) - balanced_accuracy_of(theirs.sum(0)))
    return float(((np.abs(drawn) >= abs(seen) - 1e-12).sum() + 1) / (rounds + 1))


def _corrected(found: Sequence[Gain]) -> tuple[Gain, ...]:
    tested = [gain for gain in found if gain.p is not None and gain.p_cases is not None]
    pairs, cases = holm([gain.p or 0.0 for gain in tested]), holm([gain.p_cases or 0.0 for gain in tested])
    new = {
        gain.arm: replace(gain, p_holm=one, p_cases_holm=other)
        for gain, one, other in zip(tested, pairs, cases, strict=True)
    }
    return tuple(new.get(gain.arm, gain) for gain in found)
