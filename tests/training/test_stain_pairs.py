"""Fields in both stains, what is painted of them, and the solved start of the generator."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.config import Settings
from core.models.resnet_generator import ResnetGenerator
from core.quality.stain_agreement import judge
from core.stains.separation import separate
from core.training.data import Subset, open_data
from core.training.staining.judging import as_batch, identity, recolouring
from core.training.staining.pairs import CLEAR, Fields, open_fields
from core.training.staining.sets import main, shared_pairs, simulate
from core.training.staining.start import solve_start

WHITE = np.full(3, 240.0)


@pytest.fixture(scope="module")
def fields() -> Fields:
    """One simulated field."""
    return simulate(1)


def test_the_target_has_the_dab_of_the_ihc(fields: Fields) -> None:
    pair = fields.pair(0)
    painted, real = (separate(image, WHITE).dab for image in (pair.target, pair.ihc))
    assert np.corrcoef(painted.ravel(), real.ravel())[0, 1] > 0.95
    assert painted.mean() == pytest.approx(real.mean(), rel=0.1)


def test_a_gain_raises_pale_dab_and_leaves_strong_dab_and_hematoxylin(fields: Fields) -> None:
    one, two = fields.pair(0), simulate(1, gain=2.0).pair(0)
    first, second = separate(one.target, WHITE), separate(two.target, WHITE)
    pale, strong = (first.dab > 0.05) & (first.dab < 0.2), first.dab > CLEAR
    assert second.dab[pale].mean() == pytest.approx(2 * first.dab[pale].mean(), rel=0.1)
    assert second.dab[strong].mean() == pytest.approx(first.dab[strong].mean(), rel=0.05)
    assert second.hematoxylin.mean() == pytest.approx(first.hematoxylin.mean(), rel=0.1)


def test_a_crop_shows_the_same_place_in_both_stains(fields: Fields) -> None:
    crop = fields.crop(np.random.default_rng(0), 0, 64)
    assert (crop.shape, crop.dtype) == ((9, 64, 64), np.uint8)
    he, ihc = crop[:3].mean(axis=0), crop[6:].mean(axis=0)
    assert np.corrcoef(he.ravel(), ihc.ravel())[0, 1] > 0.4


def test_held_out_cases_are_fixed(shared_data: Path) -> None:
    items = shared_pairs(shared_data).items
    assert len(items) == 25
    assert sorted({item.case for item in items if item.subset is Subset.TEST}) == [
        "31M2101871", "bci-00001", "bci-00005", "bci-00009", "bci-00013", "bci-00017",
    ]  # fmt: skip


def test_the_written_data_set_is_the_listed_one(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["stain_sets", "--data", str(shared_data), "--out", str(tmp_path)])
    main()
    written, listed = (
        {(item.case, item.subset) for item in data.items} for data in (open_data(tmp_path), shared_pairs(shared_data))
    )
    assert written == listed


def test_small_images_are_taken_at_the_generators_scale(shared_data: Path, settings: Settings) -> None:
    large = open_fields(shared_pairs(shared_data), settings.data_dir, scale=1.0, mpp=None)[Subset.TEST]
    assert (len(large), large.he.shape[1:]) == (6, (512, 512, 3))


def test_the_solved_start_is_far_closer_than_random_weights(fields: Fields) -> None:
    torch.manual_seed(0)
    pair, solved = fields.pair(0, 64), ResnetGenerator()
    batch, target = as_batch(pair.he), as_batch(pair.target)
    solve_start(solved, [(batch, target)])
    with torch.inference_mode():
        painted, guessed = solved(batch), ResnetGenerator().eval()(batch)
    assert (painted - target).abs().mean() < 0.3 * (guessed - target).abs().mean()


def test_the_real_stain_is_judged_perfect_and_the_h_and_e_is_not(fields: Fields) -> None:
    pair = fields.pair(0)
    perfect, poor = judge(pair.ihc, pair.ihc), judge(identity(pair), pair.ihc)
    assert (perfect.ssim, perfect.dice, perfect.dab_error) == (1.0, 1.0, 0.0)
    assert poor.ssim < perfect.ssim and poor.psnr < perfect.psnr


def test_recolouring_brings_an_h_and_e_to_the_mean_of_the_ihc(fields: Fields) -> None:
    pair = fields.pair(0)
    recoloured = recolouring([pair])(pair)
    assert np.abs(recoloured.mean(axis=(0, 1)) - pair.ihc.mean(axis=(0, 1))).max() < 5
