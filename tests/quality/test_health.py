"""The figures of a generator's health, on made-up features."""

import numpy as np
import pytest
from index_by_hand import TILES, make_features, make_index

from core.errors import CancelledError, InvalidOptionError
from core.quality import health_figures
from core.quality.generative import frechet_distance
from core.quality.health import Judged, Level, Measure, share_out
from core.quality.health_figures import judge
from core.quality.neighbours import TrainingIndex
from core.types import no_progress

COUNT = 80
LABELS = np.arange(COUNT) % 2
REAL = make_features(COUNT, seed=5)
TRAINING = make_features(TILES, seed=0)


@pytest.fixture(scope="module")
def index() -> TrainingIndex:
    return make_index(TRAINING, make_features(200, seed=1))


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three draws are enough to see that there is an interval."""
    monkeypatch.setattr(health_figures, "ROUNDS", 3)


def pictures(spread: float) -> np.ndarray:
    """Small pictures that differ by so many gray levels, twice as much in the second class."""
    noise = np.random.default_rng(3).normal(0, 1, (COUNT, 768)) * spread / np.sqrt(2)
    return 128 + noise * (1 + LABELS[:, None])


def judged(index: TrainingIndex, features: np.ndarray, *, spread: float = 10.0, named: np.ndarray = LABELS) -> Judged:
    return judge(index, features, LABELS, small=pictures(spread), named=named)


def value(found: Judged, measure: Measure) -> float:
    figure = found.of(measure).synthetic
    assert figure is not None and figure.low <= figure.value <= figure.high
    return figure.value


def test_images_like_real_ones_have_the_figures_of_real_ones(index: TrainingIndex) -> None:
    found = judged(index, REAL)
    for measure in (Measure.FRECHET, Measure.FEATURE_VARIETY, Measure.PICTURE_VARIETY):
        real = found.of(measure).real
        assert real is not None
        assert value(found, measure) == pytest.approx(real.value, rel=0.15)
    assert value(found, Measure.CONSISTENCY) == 1
    assert value(found, Measure.MEMORISED) < 0.15
    assert found.level is Level.VARIED
    assert [(each.label, each.count, each.held_out) for each in found.per_class] == [("PR-", 40, 100), ("PR+", 40, 100)]


def test_the_frechet_distance_is_that_of_all_features(index: TrainingIndex) -> None:
    odd = REAL + np.random.default_rng(0).normal(0, 1, REAL.shape)  # off the axes that are kept, too
    plain = frechet_distance(odd, index.restore(index.held_out))
    assert value(judged(index, odd), Measure.FRECHET) == pytest.approx(plain, rel=1e-3)


def test_copies_of_training_tiles_are_memorised(index: TrainingIndex) -> None:
    found = judged(index, TRAINING[:COUNT])
    assert value(found, Measure.MEMORISED) == 1
    real = found.of(Measure.MEMORISED).real
    assert real is not None and real.value == pytest.approx(0.05, abs=0.01)


def test_one_image_over_and_over_is_a_collapse(index: TrainingIndex) -> None:
    same = np.repeat(REAL[:2], COUNT // 2, axis=0).reshape(2, -1, 256).swapaxes(0, 1).reshape(COUNT, 256)
    assert judged(index, same).level is Level.COLLAPSED
    assert value(judged(index, same), Measure.FEATURE_VARIETY) == pytest.approx(0, abs=1e-6)


def test_one_class_alone_can_collapse(index: TrainingIndex) -> None:
    half = np.where(LABELS[:, None] == 1, REAL[1], REAL)
    assert judged(index, half).level is Level.COLLAPSED


def test_pictures_can_be_alike_where_features_are_not(index: TrainingIndex) -> None:
    assert judged(index, REAL, spread=0.5).level is Level.COLLAPSED
    assert judged(index, REAL, spread=5.0).level is Level.NARROW


def test_wrong_classes_are_counted_and_unknown_ones_left_open(index: TrainingIndex) -> None:
    assert value(judged(index, REAL, named=np.zeros(COUNT, np.int64)), Measure.CONSISTENCY) == 0.5
    found = judge(index, REAL, LABELS, small=pictures(10), named=None)
    assert found.of(Measure.CONSISTENCY).synthetic is None and found.per_class[0].consistency is None


def test_the_map_tells_kinds_and_classes_apart(index: TrainingIndex) -> None:
    points = judged(index, REAL).map
    assert (points.synthetic.shape, points.training.shape, points.held_out.shape) == ((COUNT, 2), (COUNT, 2), (200, 2))
    assert index.labels[points.training_rows].tolist() == points.training_labels.tolist()
    assert 0 < points.shares[1] <= points.shares[0] < 1


def test_it_can_be_cancelled(index: TrainingIndex) -> None:
    def cancel(_step: str, done: int, _total: int) -> None:
        if done:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        judge(index, REAL, LABELS, small=pictures(10), named=None, progress=cancel)
    judge(index, REAL, LABELS, small=pictures(10), named=None, progress=no_progress)


def test_images_are_shared_out_as_real_tiles_are(index: TrainingIndex) -> None:
    assert share_out(index, 101) in ((51, 50), (50, 51))
    one_sided = make_index(TRAINING, make_features(200, seed=1))
    one_sided.held_out_labels[:] = np.arange(200) < 150
    assert share_out(one_sided, 500) == (125, 375)


@pytest.mark.parametrize("count", [0, -1, 49, 2001, 1_000_000])
def test_a_count_that_says_nothing_is_refused(index: TrainingIndex, count: int) -> None:
    with pytest.raises(InvalidOptionError, match="50 to 2,000"):
        share_out(index, count)
