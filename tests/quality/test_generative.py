"""Distances between sets of images in a feature space, against values known by hand or by theory."""

import numpy as np
import pytest

from core.quality.generative import (
    class_consistency,
    copies,
    frechet_by_class,
    frechet_distance,
    interval,
    kernel_distance,
    precision_recall,
    share_of,
    spread,
)

RNG = np.random.default_rng(7)
A = RNG.normal(size=(400, 6))
B = RNG.normal(size=(400, 6))


def test_a_set_has_no_distance_to_itself() -> None:
    assert frechet_distance(A, A) == pytest.approx(0, abs=1e-6)


def test_the_frechet_distance_of_shifted_gaussians_is_the_square_of_the_shift() -> None:
    assert frechet_distance(A, A + 2.0) == pytest.approx(6 * 4.0, rel=1e-6)


def test_the_frechet_distance_of_scaled_gaussians_is_known() -> None:
    expected = ((np.sqrt(np.linalg.eigvalsh(np.cov(A.T))) * (3 - 1)) ** 2).sum() + ((A.mean(0) * 2) ** 2).sum()
    assert frechet_distance(A, 3 * A) == pytest.approx(expected, rel=1e-6)


def test_images_of_the_wrong_class_are_far_away_though_all_together_are_not() -> None:
    both, labels = np.concatenate([A, A + 5]), np.repeat([0, 1], 400)
    assert frechet_distance(both, both) == pytest.approx(0, abs=1e-6)
    assert frechet_by_class(both, both, labels) == pytest.approx(0, abs=1e-6)
    assert frechet_by_class(both, both, 1 - labels, labels) == pytest.approx(6 * 25, rel=1e-6)


def test_fewer_images_than_features_still_have_a_distance() -> None:
    assert np.isfinite(frechet_distance(A[:4], B[:5]))


def test_the_kernel_distance_is_unbiased() -> None:
    draws = [kernel_distance(RNG.normal(size=(50, 6)), RNG.normal(size=(50, 6))) for _ in range(200)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(200)
    assert kernel_distance(A, B + 1) > 0.1


def test_an_image_drawn_twice_is_no_pair() -> None:
    twice = kernel_distance(A, B, np.full(400, 2.0), np.ones(400))
    assert twice == pytest.approx(kernel_distance(A, B), abs=1e-9)


def test_weights_count_as_repetition() -> None:
    weights = np.ones(400)
    weights[:100] = 0
    assert frechet_distance(A, B, weights) == pytest.approx(frechet_distance(A[100:], B), rel=1e-6)


def test_the_same_distribution_has_high_precision_and_recall() -> None:
    precision, recall = precision_recall(A, B)
    assert min(precision.value, recall.value) > 0.8


def test_a_collapsed_generator_has_precision_without_recall() -> None:
    precision, recall = precision_recall(A, np.zeros((200, 6)) + RNG.normal(size=(200, 6)) * 0.01)
    assert (precision.value, recall.value) == (1.0, pytest.approx(0, abs=0.01))


def test_far_away_samples_have_neither() -> None:
    assert [figure.value for figure in precision_recall(A, B + 100)] == [0, 0]


def test_a_copied_training_image_is_found() -> None:
    samples = np.concatenate([A[:5] + 1e-6, RNG.normal(size=(45, 6)) + 1])
    found = copies(samples, A, B)
    assert found.which[:5].tolist() == [0, 1, 2, 3, 4]
    assert (found.nearest[:5] < found.limit).all()
    assert found.share.value >= 0.1


def test_unseen_real_images_are_copies_as_often_as_the_limit_says() -> None:
    assert copies(B, A, B).share.value == pytest.approx(0.05, abs=0.003)


def test_class_consistency_is_a_share_with_an_interval() -> None:
    figure = class_consistency(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]))
    assert figure.value == 0.75
    assert figure.low < 0.75 < figure.high


def test_a_share_of_nothing_is_unknown() -> None:
    assert share_of(np.zeros(0, bool)).high == 1.0


def test_an_interval_holds_its_value_and_widens_with_few_cases() -> None:
    cases = np.repeat(np.arange(8), 50).astype(str)
    real = B + np.repeat(RNG.normal(size=(8, 6)), 50, axis=0)
    single = interval(frechet_distance, A, real, rounds=60)
    grouped = interval(frechet_distance, A, real, cases, rounds=60)
    assert single.low < single.value < single.high
    assert grouped.high - grouped.low > 2 * (single.high - single.low)


def test_equal_images_have_no_spread() -> None:
    tiles = RNG.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    assert spread(np.repeat(tiles[:1], 6, axis=0), np.zeros(6, int)) == 0
    assert spread(tiles, np.zeros(6, int)) > 5


def test_one_image_per_class_is_no_spread() -> None:
    tiles = np.repeat(np.array([10, 200], np.uint8), 4)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    assert spread(tiles, np.repeat([0, 1], 4)) == 0
