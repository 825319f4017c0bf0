"""The parts of the HER2 training: agreement figures, ordinal regression, crops, heads."""

from pathlib import Path

import numpy as np
import pytest

from core.quantify.her2_rule import ordinal_probabilities
from core.training.bundled.augment import degrade, restain, turn
from core.training.bundled.fields import FIELD_PX, crop_field, make_field
from core.training.bundled.heads import Examples, HeadConfig, fit_head, fresh_head, head_probs, informative
from core.training.bundled.her2_cases import MISFITS, cut_tiles, labelled_tiles, list_cases, read_image
from core.training.bundled.ordinal import fit_ordinal
from core.training.bundled.pretrain import PretrainConfig, plan
from core.training.data.class_folders import write_tiles
from core.training.judging.metrics import agreement, quadratic_kappa, wilson


def test_kappa_and_interval_match_known_values() -> None:
    truth = np.array([0, 1, 2, 3, 1, 2])
    assert quadratic_kappa(truth, truth) == 1.0
    assert quadratic_kappa(np.array([0, 0, 3, 3]), np.array([0, 3, 0, 3])) == pytest.approx(0.0)
    assert wilson(17, 29) == pytest.approx((0.4074, 0.7448), abs=2e-3)
    assert agreement(truth, truth).startswith("exact 6/6")


def test_more_stain_never_lowers_the_ordinal_score() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (60, 2))
    labels = np.clip(np.round(1.5 - values.sum(1) + rng.normal(0, 0.3, 60)), 0, 3).astype(int)  # the wrong way round
    fitted = fit_ordinal(values, labels, np.ones(60))
    assert fitted["ordinal_brown_p98"] >= 0
    assert fitted["ordinal_ridge_p98"] >= 0
    limits = [fitted[f"ordinal_limit_{rank}"] for rank in (1, 2, 3)]
    assert limits == sorted(limits)
    probabilities = ordinal_probabilities(np.zeros(2), fitted)
    assert probabilities is not None
    assert probabilities.sum() == pytest.approx(1.0)
    assert (probabilities >= 0).all()


def test_crops_of_a_field_carry_exact_shares() -> None:
    field = make_field(2)
    crop = crop_field(np.random.default_rng(0), field, 64)
    assert crop.image.shape == (64, 64, 3)
    assert field[0].shape == (FIELD_PX, FIELD_PX, 3)
    tumour, faint, moderate, intense, _ = crop.targets
    assert 0 <= faint + moderate + intense <= tumour + 1e-6


def test_augmentation_keeps_shape_and_repeats_by_seed() -> None:
    image = make_field(1)[0][:96, :96]
    copies = []
    for _ in range(2):
        rng = np.random.default_rng(7)
        copies.append(degrade(rng, restain(rng, turn(rng, image), (238, 238, 240))))
    assert copies[0].shape == image.shape
    assert np.array_equal(copies[0], copies[1])


def test_restaining_leaves_empty_glass_at_the_new_white() -> None:
    glass = np.full((8, 8, 3), 240, np.uint8)
    same = restain(np.random.default_rng(1), glass, (240, 240, 240), new_white=False)
    assert np.array_equal(same, glass)


def test_pretraining_plan_grows_the_input_and_lowers_the_rate() -> None:
    config = PretrainConfig()
    sides = [plan(config, progress)[0] for progress in (0.1, 0.6, 0.9)]
    rates = [plan(config, progress)[2] for progress in (0.1, 0.6, 0.9)]
    assert sides == [96, 128, 224]
    assert rates == sorted(rates, reverse=True)


def test_unstained_tiles_of_a_strong_case_are_left_out() -> None:
    features = np.zeros((3, 9), np.float32)
    features[1, 2] = 0.5
    assert informative(features, 3).tolist() == [False, True, False]
    assert informative(features, 0).all()
    assert informative(np.zeros((3, 9), np.float32), 3).all()


def test_head_learns_from_features() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    vectors = rng.normal(0, 0.3, (200, 1920)).astype(np.float32)
    vectors[np.arange(200), labels] += 6.0
    data = Examples(vectors, labels, np.ones(200), np.arange(200) % 20)
    config = HeadConfig(steps=25)
    head = fit_head(fresh_head(config), data.without(3), data, config)
    assert (head_probs(head, vectors).argmax(1) == labels).mean() > 0.9


def test_real_cases_are_listed_with_their_doubts(shared_data: Path) -> None:
    cases = list_cases(shared_data)
    assert len(cases) == 29
    assert {case.name for case in cases if not case.fits} == MISFITS
    tiles = cut_tiles(read_image(cases[-1].path), cases[-1].mpps[0])
    assert tiles.images.shape == (4, 224, 224, 3)
    assert len(tiles.features) == len(tiles.tissue) == 4


def test_writes_the_tiles_of_a_case_into_the_folder_of_its_score(shared_data: Path, tmp_path: Path) -> None:
    cases = [case for case in list_cases(shared_data) if case.name in ("00000", "00013")]
    counts = write_tiles(labelled_tiles(cases, 64), tmp_path / "tiles")
    assert counts == {"1+": 16, "0": 16}
    assert read_image(tmp_path / "tiles" / "0" / "00013__00000.png").shape == (64, 64, 3)
