"""Whether tiles look like those a network was trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import WeightsError
from core.quality.appearance import appearance
from core.quality.novelty import Novelty, case_distances, image_distance
from core.quality.novelty_file import NUMBERS, SPACES, load_novelty, save_novelty
from core.quality.novelty_fit import fit_crosswise, fit_novelty, with_threshold

WIDTH = 100


def plain(count: int) -> np.ndarray:
    """Looks of tiles that look as usual."""
    return np.random.default_rng(count).normal(0, 1, (count, 10))


def features(cases: int, *, tiles: int = 10, seed: int = 0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Tiles of some cases in a ten-dimensional part of the feature space, with noise outside it."""
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(99).normal(0, 1, (10, WIDTH))
    centres = np.repeat(rng.normal(0, 1, (cases, 10)), tiles, axis=0)
    inside = (centres + rng.normal(0, 1, (cases * tiles, 10))) @ basis
    noise = rng.normal(0, 0.3, inside.shape)
    return inside + noise + shift, np.repeat([f"case {index}" for index in range(cases)], tiles)


def describe(values: np.ndarray, cases: np.ndarray) -> Novelty:
    return fit_novelty(values, plain(len(values)), cases)


def far(novelty: Novelty, values: np.ndarray) -> np.ndarray:
    """Distances of tiles with these features that look as usual."""
    return novelty.distances(values, plain(len(values)))


@pytest.fixture(scope="module")
def novelty() -> Novelty:
    """Fitted to 40 cases, its threshold from 40 others."""
    fitted = describe(*features(40))
    held, cases = features(40, seed=1)
    found = with_threshold(fitted, case_distances(far(fitted, held), cases))
    assert found is not None
    return found


def test_new_cases_of_the_same_kind_are_rarely_foreign(novelty: Novelty) -> None:
    tiles, cases = features(200, seed=2)
    distances = case_distances(far(novelty, tiles), cases)
    assert np.mean([novelty.is_foreign(distance) for distance in distances]) <= 0.12


def test_training_tiles_lie_at_the_usual_distance(novelty: Novelty) -> None:
    assert image_distance(far(novelty, features(40)[0])) == pytest.approx(1.7, abs=0.4)


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
    assert novelty.is_foreign(image_distance(far(novelty, foreign)))


def test_usual_features_of_tiles_that_look_odd_are_foreign(novelty: Novelty) -> None:
    tiles = features(10, seed=8)[0]
    assert novelty.is_foreign(image_distance(novelty.distances(tiles, plain(len(tiles)) + 4)))


def test_a_few_odd_tiles_do_not_make_an_image_foreign(novelty: Novelty) -> None:
    tiles = features(40, tiles=1, seed=6)[0]
    tiles[:5] *= 50
    assert not novelty.is_foreign(image_distance(far(novelty, tiles)))


def test_one_case_of_many_tiles_does_not_decide_what_is_usual() -> None:
    few, cases = features(30)
    flood = np.random.default_rng(1).normal(20, 1, (3000, WIDTH))
    both = describe(np.concatenate([few, flood]), np.concatenate([cases, np.full(3000, "flood")]))
    alone = describe(few, cases)
    assert abs(image_distance(far(both, few)) / image_distance(far(alone, few)) - 1) < 0.6


def test_features_that_never_change_do_not_decide() -> None:
    tiles, cases = features(20)
    tiles[:, :50] = 3.0
    found = describe(tiles, cases)
    nearly = tiles.copy()
    nearly[:, 0] += 0.02
    assert np.isfinite(far(found, tiles)).all()
    assert image_distance(far(found, nearly)) < 1.5 * image_distance(far(found, tiles))


def test_the_threshold_is_the_quantile_of_many_held_out_cases(novelty: Novelty) -> None:
    found = with_threshold(novelty, np.arange(1.0, 101.0), quantile=0.95)
    assert found is not None
    assert (found.threshold, found.quantile, found.cases) == (95.0, 0.95, 100)


def test_few_held_out_cases_give_a_wider_threshold(novelty: Novelty) -> None:
    found = with_threshold(novelty, np.array([1.0, 1.2, 1.4, 1.6]))
    assert found is not None and found.threshold > 1.9


def test_two_held_out_cases_give_none(novelty: Novelty) -> None:
    assert with_threshold(novelty, np.array([1.0, 2.0])) is None


def test_every_case_is_held_against_the_others() -> None:
    values, cases = features(40)
    found = fit_crosswise(values, plain(len(values)), cases, np.zeros(len(values), bool) | (cases > "case 30"))
    assert found is not None and found.cases == 40
    new, names = features(100, seed=9)
    distances = case_distances(far(found, new), names)
    assert np.mean(distances > found.threshold) <= 0.12


def test_what_the_network_never_learnt_from_sets_the_least_threshold() -> None:
    values, cases = features(40)
    unseen = cases > "case 30"
    alike = fit_crosswise(values, plain(len(values)), cases, unseen)
    apart = fit_crosswise(np.where(unseen[:, None], 2 * values, values), plain(len(values)), cases, unseen)
    assert alike is not None and apart is not None and apart.threshold > alike.threshold


def test_what_was_saved_is_read_again(novelty: Novelty, tmp_path: Path) -> None:
    path = tmp_path / "weights.novelty.npz"
    save_novelty(replace(novelty, sha256="a" * 64), path)
    found = load_novelty(path)
    tiles = features(3, seed=7)[0]
    np.testing.assert_array_equal(far(found, tiles), far(novelty, tiles))
    assert (found.threshold, found.cases, found.sha256) == (novelty.threshold, novelty.cases, "a" * 64)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_statistics_of_ihcnet_are_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    save_novelty(describe(rng.normal(0, 1, (100, 1920)), np.arange(100).astype(str)), tmp_path / "big.npz")
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
    broken = replace(novelty, features=replace(novelty.features, **change))  # type: ignore[arg-type]
    save_novelty(broken, tmp_path / "weights.novelty.npz")
    with pytest.raises(WeightsError, match="damaged"):
        load_novelty(tmp_path / "weights.novelty.npz")


def test_an_archive_of_objects_is_refused_unread(tmp_path: Path) -> None:
    spaces = [
        f"{space}.{name}" for space in SPACES for name in ("centre", "spread", "mean", "axes", "variances", "rest")
    ]
    np.savez(tmp_path / "weights.novelty.npz", **{name: np.array([{}], object) for name in (*spaces, *NUMBERS)})
    with pytest.raises(WeightsError, match="damaged"):
        load_novelty(tmp_path / "weights.novelty.npz")


def test_looks_tell_colour_contrast_and_detail() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    brown = np.full((64, 64, 3), (160, 110, 60), np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    found = appearance(np.stack([grey, brown, noise]))
    assert (found.shape, found.dtype) == ((3, 10), np.float32)
    np.testing.assert_allclose(found[0, :3], -np.log10(128 / 255), rtol=1e-4)
    assert found[1, 0] < found[1, 1] < found[1, 2]  # brown lets red pass most
    assert found[2, 3] > 0.1 > 1e-3 > found[0, 3]
    assert found[2, 9] > 3 > found[0, 9] == 0


def test_no_tiles_have_no_looks() -> None:
    assert appearance(np.zeros((0, 64, 64, 3), np.uint8)).shape == (0, 10)
