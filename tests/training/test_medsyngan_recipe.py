"""The recipe MedSynGAN through the loop: figures, pictures, weights in the published layout, and how it fails."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from core.config import get_settings
from core.models.medsyngan import Discriminator, Generator
from core.models.weights import read_state_dict
from core.phantoms.phantom import nuclear_phantom
from core.training.gan import evaluation as gan_evaluation
from core.training.gan import judges as gan_judges
from core.training.gan import tiles as gan_tiles
from core.training.loop import train
from core.training.recipes import medsyngan
from core.training.run_folder import RunFolder, State

SWITCHES = {
    "start_steps": 2,
    "anchor": 1.0,
    "spectral_norm": True,
    "tied_discriminator": True,
    "differentiable_augmentation": True,
    "ema": 0.9,
    "real_target": 0.9,
    "classifier_weight": 0.1,
    "discriminator_learning_rate": 4e-4,
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated tiles of six cases, with and without stained nuclei."""
    folder = tmp_path_factory.mktemp("tiles")
    for number in range(6):
        for label, percent in (("PR-", 0.0), ("PR+", 60.0)):
            field = nuclear_phantom(number, percent_positive=percent, size_px=256).image
            (folder / label).mkdir(exist_ok=True)
            for k in range(4):
                tile = field[k // 2 * 128 :, k % 2 * 128 :][:128, :128]
                name = folder / label / f"case{number}__{k}.png"
                cv2.imwrite(str(name), cv2.cvtColor(tile, cv2.COLOR_RGB2BGR))
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Judges learn for a moment only, and caches stay in the test's folder."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    monkeypatch.setattr(gan_judges, "STEPS", 3)
    monkeypatch.setattr(gan_tiles, "JUDGED", 16)
    monkeypatch.setattr(gan_evaluation, "JUDGED", 16)


def make_run(folder: Path, images: Path, **settings: Any) -> RunFolder:
    run = RunFolder(folder)
    folder.mkdir()
    values = {"recipe": "medsyngan", "width": 32, "epochs": 2, "steps_per_epoch": 2, "batch_size": 4, "images": 3}
    run.write_json("config.json", values | {"val_share": 0.3, "test_share": 0.3} | settings)
    run.write_json("data.json", {"data": str(images)})
    return run


def epochs_of(run: RunFolder) -> list[dict[str, Any]]:
    return [line for line in run.read_stats() if line["kind"] == "epoch"]


@pytest.mark.parametrize("switches", [{}, SWITCHES], ids=["published", "all switches"])
def test_a_run_leaves_networks_that_load_strictly(tmp_path: Path, images: Path, switches: dict[str, Any]) -> None:
    run = make_run(tmp_path / "run", images, **switches)
    assert train(run).state is State.FINISHED
    Generator(classes=2, width=32).load_state_dict(read_state_dict(run.weights), strict=True)
    discriminator = read_state_dict(run.path / "discriminator.safetensors")
    Discriminator(classes=2, width=32).load_state_dict(discriminator, strict=True)
    assert {"g_loss", "d_loss", "d_real", "d_fake", "diversity", "frechet"} <= set(epochs_of(run)[0])


def test_the_evaluation_compares_with_real_tiles(tmp_path: Path, images: Path) -> None:
    run = make_run(tmp_path / "run", images)
    train(run)
    found = json.loads(run.evaluation.read_text())
    assert (found["kind"], found["classes"], found["subset"]) == ("gan", ["PR-", "PR+"], "test")
    wanted = {"frechet", "kernel", "precision", "recall", "class_consistency", "memorised_share", "diversity"}
    assert wanted <= set(found["figures"])
    assert set(found["figures"]) == set(found["real"])
    assert [each["label"] for each in found["per_class"]] == ["PR-", "PR+"]
    for name in ("samples", "held_out", "nearest"):
        assert (run.path / found[name]).is_file()


def test_the_fixed_noise_is_drawn_with_a_row_per_class(tmp_path: Path, images: Path) -> None:
    run = make_run(tmp_path / "run", images, epochs=1)
    train(run)
    picture = cv2.imread(str(next(run.samples.iterdir())))
    assert picture is not None
    assert picture.shape == (2 * 128 + 4, 3 * 128 + 2 * 4, 3)


def test_a_resumed_run_ends_as_an_uninterrupted_one(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_run(tmp_path / "whole", images, **SWITCHES)
    train(whole)
    broken = make_run(tmp_path / "broken", images, **SWITCHES)
    draw = medsyngan.GanTask.end_epoch

    def stop_in_the_second(task: medsyngan.GanTask, epoch: int) -> dict[str, float]:
        if epoch == 2:
            raise MemoryError
        return draw(task, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(medsyngan.GanTask, "end_epoch", stop_in_the_second)
        assert train(broken).state is State.FAILED
    train(broken)
    first, second = (epochs_of(run)[-1] for run in (whole, broken))
    assert {k: v for k, v in first.items() if k != "seconds"} == {k: v for k, v in second.items() if k != "seconds"}
    one, two = (read_state_dict(run.weights) for run in (whole, broken))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_collapse_ends_the_run_with_what_to_change(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(medsyngan, "FIRST_STEPS", 1)
    monkeypatch.setattr(medsyngan, "spread", lambda *_: 1.0)
    monkeypatch.setattr(medsyngan, "COLLAPSED", 2.0)
    status = train(make_run(tmp_path / "run", images, epochs=6))
    assert (status.state, status.epoch) == (State.FAILED, 2)
    assert "collapsed" in status.message
    assert "differentiable augmentation" in status.message


def test_a_learning_rate_far_too_high_is_named(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(medsyngan, "FIRST_STEPS", 1)
    status = train(make_run(tmp_path / "run", images, learning_rate=1e12, epochs=8))
    assert status.state is State.FAILED
    assert "learning rate" in status.message


def test_montage_lays_images_out_in_rows() -> None:
    tiles = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    page = gan_evaluation.montage(tiles, columns=2)
    assert page.shape == (20, 20, 3)
    assert [int(page[0, 0, 0]), int(page[0, 12, 0]), int(page[12, 0, 0]), int(page[12, 12, 0])] == [0, 1, 2, 255]
