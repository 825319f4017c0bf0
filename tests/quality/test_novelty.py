"""Whether tiles look like those a network was trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import WeightsError
from core.quality.novelty import Novelty, case_distances, image_distance
from core.quality.novelty_file import load_novelty, save_novelty
from core.quality.novelty_fit import fit_novelty, with_threshold

WIDTH = 100


def features(cases: int, *, tiles: int = 10, seed: int = 0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Tiles of some cases in a ten-dimensional part of the feature space, with noise outside it."""
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(99).normal(0, 1, (10, WIDTH))
    centres = np.repeat(rng.normal(0, 1, (cases, 10)), tiles, axis=0)
    inside = (centres + rng.normal(0, 1, (cases * tiles, 10))) @ basis
    noise = rng.normal(0, 0.3, inside.shape)
    return inside + noise + shift, np.repeat([f"case {index}" for index in range(cases)], tiles)


@pytest.fixture(scope="module")
def novelty() -> Novelty:
    """Fitted to 40 cases, its threshold from 40 others."""
    fitted = fit_novelty(*features(40))
    held, cases = features(40, seed=1)
    found = with_threshold(fitted, case_distances(fitted.distances(held), cases))
    assert found is not None
    return found


def test_new_cases_of_the_same_kind_are_rarely_foreign(novelty: Novelty) -> None:
    tiles, cases = features(200, seed=2)
    distances = case_distances(novelty.distances(tiles), cases)
    assert np.mean([novelty.is_foreign(distance) for distance in distances]) <= 0.12


def test_training_tiles_lie_at_the_usual_distance(novelty: Novelty) -> None:
    assert image_distance(novelty.distances(features(40)[0])) == pytest.approx(1.2, abs=0.2)


@pytest.mark.parametrize(
    "foreign",
    [
        features(1, seed=3)[0] + np.random.default_rng(4).normal(0, 5, WIDTH),
        10 * features(1, seed=3)[0],
        np.random.default_rng(5).normal(0, 5, (10, WIDTH)),
    ],
    ids=["moved", "stretched", "noise"],
)
def test_other_features_are_foreign(novelty: Novelty, foreign: np.ndarray) -> None:
    assert novelty.is_foreign(image_distance(novelty.distances(foreign)))


def test_a_few_odd_tiles_do_not_make_an_image_foreign(novelty: Novelty) -> None:
    tiles = features(40, tiles=1, seed=6)[0]
    tiles[:5] *= 50
    assert not novelty.is_foreign(image_distance(novelty.distances(tiles)))


def test_one_case_of_many_tiles_does_not_decide_what_is_usual() -> None:
    few, cases = features(30)
    flood = np.random.default_rng(1).normal(20, 1, (3000, WIDTH))
    both = fit_novelty(np.concatenate([few, flood]), np.concatenate([cases, np.full(3000, "flood")]))
    alone = fit_novelty(few, cases)
    assert abs(image_distance(both.distances(few)) / image_distance(alone.distances(few)) - 1) < 0.6


def test_features_that_never_change_do_not_decide() -> None:
    tiles, cases = features(20)
    tiles[:, :50] = 3.0
    found = fit_novelty(tiles, cases)
    nearly = tiles.copy()
    nearly[:, 0] += 0.02
    assert np.isfinite(found.distances(tiles)).all()
    assert image_distance(found.distances(nearly)) < 1.5 * image_distance(found.distances(tiles))


def test_the_threshold_is_the_quantile_of_many_held_out_cases(novelty: Novelty) -> None:
    found = with_threshold(novelty, np.arange(1.0, 101.0), quantile=0.95)
    assert found is not None
    assert (found.threshold, found.quantile, found.cases) == (95.0, 0.95, 100)


def test_few_held_out_cases_give_a_wider_threshold(novelty: Novelty) -> None:
    found = with_threshold(novelty, np.array([1.0, 1.2, 1.4, 1.6]))
    assert found is not None and found.threshold > 1.9


def test_two_held_out_cases_give_none(novelty: Novelty) -> None:
    assert with_threshold(novelty, np.array([1.0, 2.0])) is None


def test_what_was_saved_is_read_again(novelty: Novelty, tmp_path: Path) -> None:
    path = tmp_path / "weights.novelty.npz"
    save_novelty(replace(novelty, sha256="a" * 64), path)
    found = load_novelty(path)
    tiles = features(3, seed=7)[0]
    np.testing.assert_array_equal(found.distances(tiles), novelty.distances(tiles))
    assert (found.threshold, found.cases, found.sha256) == (novelty.threshold, novelty.cases, "a" * 64)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_statistics_of_ihcnet_are_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    save_novelty(fit_novelty(rng.normal(0, 1, (100, 1920)), np.arange(100).astype(str)), tmp_path / "big.npz")
    assert (tmp_path / "big.npz").stat().st_size < 500_000


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.novelty.npz").write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        load_novelty(tmp_path / "weights.novelty.npz")


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is missing"):
        load_novelty(tmp_path / "weights.novelty.npz")


@pytest.mark.parametrize(
    "change", [{"axes": np.zeros((3, 7), np.float32)}, {"rest": np.zeros(2)}, {"mean": np.full(WIDTH, np.nan)}]
)
def test_tables_that_do_not_fit_are_refused(novelty: Novelty, tmp_path: Path, change: dict[str, np.ndarray]) -> None:
    save_novelty(replace(novelty, **change), tmp_path / "weights.novelty.npz")  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="damaged"):
        load_novelty(tmp_path / "weights.novelty.npz")


def test_an_archive_of_objects_is_refused_unread(tmp_path: Path) -> None:
    names = ("centre", "spread", "mean", "axes", "variances", "rest", "threshold", "quantile", "cases", "sha256")
    np.savez(tmp_path / "weights.novelty.npz", **{name: np.array([{}], object) for name in names})
    with pytest.raises(WeightsError, match="damaged"):
        load_novelty(tmp_path / "weights.novelty.npz")
