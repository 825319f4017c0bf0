"""Pairs of stains, the solved start of the generator, and its training."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.registry import get_card
from core.models.resnet_generator import ResnetGenerator
from core.models.weights import load_weights, save_safetensors
from core.phantoms.phantom import he_phantom, her2_phantom
from core.stains.separation import separate
from core.training.stain_pairs import Pair, crop, is_held_out, pyramid, read_pairs
from core.training.virtual_stain import TrainConfig, Trainer, start


@pytest.fixture(scope="module")
def levels() -> list[Pair]:
    """One simulated pair of 64 px."""
    he, ihc = he_phantom(3, size_px=256).image, her2_phantom(3, size_px=256).image
    return pyramid("phantom-3", he, ihc, (64,))


@pytest.fixture(scope="module")
def solved(levels: list[Pair]) -> ResnetGenerator:
    """A generator solved on that pair."""
    return start([levels], TrainConfig())


def test_the_target_has_the_dab_of_the_ihc(levels: list[Pair]) -> None:
    white = np.full(3, 240.0)
    painted, real = (separate(image, white).dab for image in (levels[0].target, levels[0].ihc))
    assert np.corrcoef(painted.ravel(), real.ravel())[0, 1] > 0.95


def test_crops_of_both_stains_are_turned_alike(levels: list[Pair]) -> None:
    same = Pair("a", levels[0].target, levels[0].target, levels[0].target, (240.0, 240.0, 240.0))
    he, target = crop(np.random.default_rng(0), same, 32)
    assert np.corrcoef(he.ravel(), target.ravel())[0, 1] > 0.8


def test_held_out_cases_are_fixed(shared_data: Path) -> None:
    cases = [pair[0].case for pair in read_pairs(shared_data, sides=(64,))]
    assert len(cases) == 25
    assert sorted({case for case in cases if is_held_out(case)}) == [
        "31M2101871", "bci-00001", "bci-00005", "bci-00009", "bci-00013", "bci-00017",
    ]  # fmt: skip


def test_the_solved_start_is_far_closer_than_random_weights(levels: list[Pair], solved: ResnetGenerator) -> None:
    batch = torch.from_numpy(levels[0].he.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1
    target = torch.from_numpy(levels[0].target.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1
    with torch.inference_mode():
        painted, guessed = solved(batch), ResnetGenerator().eval()(batch)
    assert (painted - target).abs().mean() < 0.3 * (guessed - target).abs().mean()


def test_a_saved_generator_paints_what_the_trained_one_paints(
    levels: list[Pair], solved: ResnetGenerator, tmp_path: Path
) -> None:
    trainer = Trainer(solved, TrainConfig(steps=2, crop_px=32))
    trainer.run([levels], [], tmp_path / "checkpoint.pt")
    save_safetensors(trainer.average.state_dict(), tmp_path / "pspstain.safetensors")
    loaded = load_weights(get_card("pspstain"), tmp_path / "pspstain.safetensors").module
    batch = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(loaded(batch), trainer.average(batch), atol=0.02)


def test_a_training_goes_on_from_its_checkpoint(levels: list[Pair], solved: ResnetGenerator, tmp_path: Path) -> None:
    first = Trainer(solved, TrainConfig(steps=50, crop_px=16))
    first.run([levels], [], tmp_path / "checkpoint.pt")
    again = Trainer(ResnetGenerator(), TrainConfig(steps=50, crop_px=16))
    again.restore(tmp_path / "checkpoint.pt")
    assert (again.step, again.progress()) == (50, 1.0)
    state, other = first.average.state_dict(), again.average.state_dict()
    assert all(torch.equal(state[key], other[key]) for key in state)
