"""LIME and occlusion find what a classifier looks at, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import CancelledError, InvalidOptionError
from core.explain.attribution import Answers, answers_needed, attribute, classifier_of, lime, log_odds
from core.inference.engine import Engine
from core.labels import Perturbation

ROOT = Path(__file__).resolve().parents[2]
SIDE = 128
GLASS = np.full(3, 240.0)
CORNER = (slice(0, 40), slice(0, 40))


def tile() -> np.ndarray:
    """Brown patches on a lighter ground, the same everywhere: only the classifier prefers a corner."""
    patches = np.random.default_rng(0).integers(0, 2, (SIDE // 8, SIDE // 8), dtype=np.uint8)
    gray = 90 + 90 * np.kron(patches, np.ones((8, 8), np.uint8))
    return np.stack([gray, gray * 0.8, gray * 0.6], axis=-1).astype(np.uint8)


def looks_at_the_corner(tiles: np.ndarray) -> np.ndarray:
    """Class 1 by how dark the upper left corner is; class 0 is the rest."""
    dark = (240 - tiles[:, *CORNER].astype(np.float32)).mean(axis=(1, 2, 3)) / 150
    positive = 1 / (1 + np.exp(-12 * (dark - 0.4)))
    return np.stack([1 - positive, positive], axis=1).astype(np.float32)


def heat_in_corner(heatmap: np.ndarray) -> float:
    return float(heatmap[CORNER].sum() / heatmap.sum())


@pytest.mark.parametrize("method", Perturbation)
def test_the_planted_corner_is_found(method: Perturbation) -> None:
    found = attribute(method, tile(), Answers(looks_at_the_corner, 1), glass=GLASS, samples=300)

    assert (found.heatmap.shape, found.heatmap.dtype) == ((SIDE, SIDE), np.float32)
    assert found.heatmap.min() >= 0 and found.heatmap.max() == 1
    row, column = np.unravel_index(found.heatmap.argmax(), found.heatmap.shape)
    assert row < 40 and column < 40
    assert heat_in_corner(found.heatmap) > 0.6  # it is a tenth of the tile; windows and superpixels reach beyond it


@pytest.mark.parametrize("method", Perturbation)
def test_what_speaks_against_a_class_is_not_shown_but_counted(method: Perturbation) -> None:
    found = attribute(method, tile(), Answers(looks_at_the_corner, 0), glass=GLASS, samples=300)

    assert found.opposing > 0.6
    assert not found.heatmap[:24, :24].any()


@pytest.mark.parametrize("method", Perturbation)
def test_a_classifier_that_looks_nowhere_has_an_empty_map(method: Perturbation) -> None:
    found = attribute(method, tile(), Answers(lambda tiles: np.full((len(tiles), 2), 0.5, np.float32), 1), glass=GLASS)

    assert not found.heatmap.any() and found.opposing == 0


def test_lime_is_repeatable_and_says_how_well_it_fits() -> None:
    first, again, other = (lime(tile(), Answers(looks_at_the_corner, 1), glass=GLASS, seed=seed) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first.heatmap, again.heatmap)
    assert not np.array_equal(first.heatmap, other.heatmap)
    assert first.fit is not None and 0.5 < first.fit <= 1


@pytest.mark.parametrize("method", Perturbation)
def test_costs_what_was_announced(method: Perturbation) -> None:
    steps: list[tuple[str, int, int]] = []
    planned = answers_needed(method, 100)
    answers = Answers(looks_at_the_corner, 1, progress=lambda *step: steps.append(step), planned=planned)
    found = attribute(method, tile(), answers, glass=GLASS, samples=100)

    assert found.answers == answers.count == planned
    assert steps[-1][1:] == (planned, planned)
    assert len({done for _, done, _ in steps}) > 5


@pytest.mark.parametrize("method", Perturbation)
def test_can_be_cancelled_between_batches(method: Perturbation) -> None:
    def cancel(_step: str, done: int, _total: int) -> None:
        if done >= 32:
            raise CancelledError("Cancelled.")

    answers = Answers(looks_at_the_corner, 1, progress=cancel, planned=1000)
    with pytest.raises(CancelledError):
        attribute(method, tile(), answers, glass=GLASS)
    assert answers.count <= 48


@pytest.mark.parametrize("samples", [0, 49, 2001])
def test_too_few_and_too_many_samples_are_refused(samples: int) -> None:
    with pytest.raises(InvalidOptionError, match="between 50 and 2000"):
        lime(tile(), Answers(looks_at_the_corner, 1), glass=GLASS, samples=samples)


def test_certainty_has_finite_log_odds() -> None:
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
    assert log_odds(np.array([0.5]))[0] == 0


def test_the_engine_answers_with_probabilities() -> None:
    probs = classifier_of(Engine(ROOT / "weights"), "simple_cnn")(tile()[None])

    assert probs.shape == (1, 2)
    assert probs.sum() == pytest.approx(1, abs=1e-5)
