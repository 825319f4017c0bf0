"""The terms of a virtual stain's loss, and a whole small training on simulated pairs."""

import json
from pathlib import Path

import cv2
import pytest
import torch
from lightning.fabric import Fabric

from core.config import Settings
from core.models.registry import get_card
from core.models.resnet_generator import ResnetGenerator
from core.models.weights import load_weights
from core.phantoms.phantom import he_phantom, her2_phantom, random_tissue
from core.training.config import VirtualStainConfig
from core.training.loop import train
from core.training.recipes.virtual_stain import StainTask
from core.training.run_folder import RunFolder, State
from core.training.staining.losses import (
    PLACES,
    PatchDiscriminator,
    PatchHeads,
    colour_distance,
    correspondence,
    density_disagreement,
    density_distance,
    features,
    realism,
)
from core.training.staining.objective import TERMS, Objective

WHITE, BROWN = (240.0, 240.0, 240.0), (190.0, 140.0, 110.0)


def flat(colour: tuple[float, float, float], px: int = 32) -> torch.Tensor:
    """An even image, (1, 3, px, px)."""
    return (torch.tensor(colour) / 127.5 - 1).view(1, 3, 1, 1).expand(1, 3, px, px).clone()


def objective(**weights: float) -> Objective:
    """The terms with these weights, all others off."""
    config = VirtualStainConfig.model_validate({**dict.fromkeys(TERMS, 0.0), **weights})
    return Objective(config, Fabric(accelerator="cpu", devices=1))


def painted(seed: int = 0) -> torch.Tensor:
    """A small image that wants a gradient."""
    return (torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1).requires_grad_()


def write_pairs(folder: Path, seeds: dict[str, list[int]], *, px: int) -> Path:
    """Simulated pairs at the generator's scale, one case for each subset and seed."""
    for subset, each in seeds.items():
        for seed in each:
            tissue = random_tissue(seed)
            for stain, phantom in (("HE", he_phantom), ("IHC", her2_phantom)):
                (folder / subset / stain).mkdir(parents=True, exist_ok=True)
                image = phantom(seed, size_px=px, mpp=1.0, tissue=tissue).image
                name = folder / subset / stain / f"{subset}{seed}__1.png"
                cv2.imwrite(str(name), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return folder


@pytest.fixture
def pairs(tmp_path: Path, settings: Settings) -> Path:  # noqa: ARG001
    """Four small pairs: two to train on, one each to validate and to test."""
    return write_pairs(tmp_path / "pairs", {"train": [0, 1], "val": [2], "test": [3]}, px=64)


def run_folder(folder: Path, data: Path, **settings: object) -> RunFolder:
    """A run of a very small training."""
    folder.mkdir()
    config = VirtualStainConfig.model_validate(
        {"epochs": 2, "steps_per_epoch": 2, "crop_px": 32, "learning_rate": 1e-5, "precision": "32", **settings}
    )
    (folder / "config.json").write_text(config.model_dump_json())
    (folder / "data.json").write_text(json.dumps({"data": str(data)}))
    return RunFolder(folder)


def test_missing_brown_costs_more_than_too_much() -> None:
    missing = density_distance(flat(WHITE), flat(BROWN), quantile=0.8)
    too_much = density_distance(flat(BROWN), flat(WHITE), quantile=0.8)
    assert missing / too_much == pytest.approx(4.0, rel=1e-3)


def test_only_the_pattern_of_the_brown_counts_for_its_correlation() -> None:
    pattern = torch.cat([flat(WHITE, 32), flat(BROWN, 32)], dim=3)
    paler = torch.cat([flat(WHITE, 32), flat((220.0, 190.0, 175.0), 32)], dim=3)
    assert density_disagreement(paler, pattern) < 0.2
    assert density_disagreement(pattern.flip(3), pattern) > 1.8


def test_equal_images_are_no_distance_apart() -> None:
    image = painted()
    assert float(colour_distance(image, image).detach()) == 0.0
    assert float(density_distance(image, image, quantile=0.8).detach()) == 0.0


def test_the_structure_of_the_same_place_is_told_from_other_places() -> None:
    generator, heads = ResnetGenerator(width=64).eval(), PatchHeads()
    he, other, places = painted(1).detach(), painted(2).detach(), torch.randint(PLACES, (32, 2))
    keys = heads(features(generator, he), places)
    same, wrong = (heads(features(generator, image), places) for image in (he, other))
    assert correspondence(same, keys) < correspondence(wrong, keys)


def test_a_discriminator_learns_to_tell_brown_from_white() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(width=8)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(30):
        brown, white = network(torch.cat([flat(BROWN), flat(WHITE)]) + 0.1 * torch.randn(2, 3, 32, 32)).chunk(2)
        loss = realism(brown, real=True) + realism(white, real=False)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.2


@pytest.mark.parametrize("name", TERMS)
def test_every_term_reaches_the_virtual_stain(name: str) -> None:
    virtual, he, target = painted(), painted(1).detach(), painted(2).detach()
    used = objective(**{name: 1.0})
    terms = used.terms(ResnetGenerator().eval(), he, virtual, target)
    used.total(terms).backward()
    assert list(terms) == [name]
    assert virtual.grad is not None and float(virtual.grad.abs().max()) > 0


def test_a_term_without_weight_has_no_network() -> None:
    assert sorted(objective(colour=1.0).networks) == []
    assert sorted(objective(**dict.fromkeys(TERMS, 1.0)).networks) == ["discriminator", "heads"]


@pytest.mark.slow
def test_a_run_that_goes_on_from_its_checkpoint_ends_like_one_that_was_not_broken_off(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = (run_folder(tmp_path / name, pairs, start="random") for name in ("whole", "broken"))
    train(whole)
    with monkeypatch.context() as patch:
        patch.setattr(StainTask, "draw", lambda *_: broken.ask_to_stop())  # after the first epoch
        assert (train(broken).state, broken.status().epoch) == (State.STOPPED, 1)
    broken.forget_stop()
    assert train(broken).state is State.FINISHED
    last = [{**list(run.read_stats())[-1], "seconds": 0} for run in (whole, broken)]
    assert last[0] == last[1]
    assert whole.weights.read_bytes() == broken.weights.read_bytes()


def test_a_loss_without_terms_is_refused(pairs: Path, tmp_path: Path) -> None:
    status = train(run_folder(tmp_path / "run", pairs, **dict.fromkeys(TERMS, 0)))
    assert status.state is State.FAILED
    assert "Give a weight to one of: colour, density" in status.message


def test_the_final_figures_stand_beside_two_baselines(pairs: Path, tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", pairs, start="random", epochs=1, steps_per_epoch=1)
    assert train(run).state is State.FINISHED
    found = json.loads(run.evaluation.read_text())
    names = {"ssim", "psnr", "dab_correlation", "dice", "dab_error"}
    assert (found["kind"], found["subset"], found["pairs"]) == ("virtual-stain", "test", 1)
    assert names == set(found["figures"]) == set(found["identity"]) == set(found["mean_colour"])
    assert [each["case"] for each in found["pictures"]] == ["test3"]
    assert all((run.path / each["picture"]).is_file() for each in found["pictures"])
    assert len(list(run.samples.iterdir())) == 1
    assert load_weights(get_card("pspstain"), run.weights).sha256


@pytest.mark.slow
def test_a_solved_generator_that_is_trained_on_beats_the_h_and_e_on_the_field_it_learnt(
    tmp_path: Path,
    settings: Settings,  # noqa: ARG001
) -> None:
    pairs = write_pairs(tmp_path / "pairs", {"train": [0], "val": [0], "test": [0]}, px=256)
    run = run_folder(tmp_path / "run", pairs, start="solved", steps_per_epoch=8, adversarial=0, nce=0)
    assert train(run).state is State.FINISHED
    found = json.loads(run.evaluation.read_text())
    for name in ("psnr", "dab_correlation"):
        assert found["figures"][name] > found["identity"][name]
