"""The classifier recipes on small simulated tiles: what they train on, where they start, what they save."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from lightning.fabric import Fabric

from core.errors import InvalidDataError, InvalidOptionError, WeightsError
from core.models.ihcnet import IHCNet
from core.models.simple_cnn import SimpleCNN
from core.models.weights import save_safetensors
from core.phantoms.phantom import nuclear_phantom
from core.training.classifiers import TiedSimpleCNN, build_classifier, published_layout
from core.training.config import read_config
from core.training.loop import build_fabric
from core.training.recipes import build_task
from core.training.recipes.classifier import ClassifierTask
from core.types import no_progress


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve cases of simulated tiles, stained and unstained, as class folders."""
    folder = tmp_path_factory.mktemp("tiles")
    for case in range(12):
        label = ("PR-", "PR+")[case % 2]
        image = nuclear_phantom(case, percent_positive=90.0 * (case % 2), size_px=256).image
        (folder / label).mkdir(exist_ok=True)
        for number, (y, x) in enumerate((y, x) for y in (0, 128) for x in (0, 128)):
            path = folder / label / f"case{case:02d}__{number}.png"
            cv2.imwrite(str(path), image[y : y + 128, x : x + 128, ::-1])
    return folder


@pytest.fixture
def fabric() -> Fabric:
    """One CPU in 32 bit."""
    return build_fabric(read_config({"recipe": "simple-cnn", "precision": "32"}))


def task_of(tiles: Path, fabric: Fabric, **values: Any) -> ClassifierTask:
    config = read_config({"recipe": "simple-cnn", "tied": True, "batch_size": 8, "learning_rate": 0.01, **values})
    fabric.seed_everything(config.seed, verbose=False)
    task = build_task(config, tiles, fabric, no_progress)
    assert isinstance(task, ClassifierTask)
    return task


def learn(task: ClassifierTask, epochs: range, fabric: Fabric) -> list[dict[str, float]]:
    figures = []
    for epoch in epochs:
        fabric.seed_everything(epoch, verbose=False)
        for batch in task.batches(epoch):
            task.step(batch, float(epoch))
        figures.append(task.end_epoch(epoch))
    return figures


@pytest.mark.usefixtures("settings")
def test_it_learns_what_is_stained(tiles: Path, fabric: Fabric) -> None:
    task = task_of(tiles, fabric)
    figures = learn(task, range(1, 13), fabric)
    assert figures[-1]["val_loss"] < 0.5 * figures[0]["val_loss"]
    assert figures[-1]["val_accuracy"] > 0.9


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("values", [{"tied": True}, {"tied": False, "learning_rate": 1e-3, "balance": "sampling"}])
def test_going_on_from_a_checkpoint_changes_nothing(tiles: Path, fabric: Fabric, values: dict[str, Any]) -> None:
    straight = learn(task_of(tiles, fabric, **values), range(1, 4), fabric)
    first = task_of(tiles, fabric, **values)
    learn(first, range(1, 3), fabric)
    second = task_of(tiles, fabric, **values)
    second.restore(first.state())
    assert learn(second, range(3, 4), fabric) == straight[2:]


@pytest.mark.usefixtures("settings")
def test_cases_are_never_on_both_sides(tiles: Path, fabric: Fabric) -> None:
    cache = task_of(tiles, fabric).cache
    sides = {case: set(cache.subsets[[c == case for c in cache.cases]]) for case in set(cache.cases)}
    assert all(len(side) == 1 for side in sides.values())


@pytest.mark.usefixtures("settings")
def test_a_batch_larger_than_the_data_set_takes_what_there_is(tiles: Path, fabric: Fabric) -> None:
    task = task_of(tiles, fabric, batch_size=4096)
    images, labels = next(task.batches(1))
    assert task.steps() == 1
    assert len(images) == len(labels) == len(task.source)


@pytest.mark.usefixtures("settings")
def test_synthetic_images_only_ever_train(tiles: Path, fabric: Fabric) -> None:
    alone, both = (task_of(tiles, fabric, synthetic=folder, synthetic_share=0.5) for folder in (None, str(tiles)))
    assert len(both.source) == round(1.5 * len(alone.source))
    assert np.array_equal(both.judged, alone.judged)


@pytest.mark.usefixtures("settings")
def test_synthetic_classes_must_be_known(tiles: Path, fabric: Fabric, tmp_path: Path) -> None:
    for label in ("PR-", "ER+"):
        (tmp_path / label).mkdir()
        for index in range(3):
            cv2.imwrite(str(tmp_path / label / f"{index}.png"), np.full((128, 128, 3), 90 + 40 * index, np.uint8))
    with pytest.raises(InvalidDataError, match=r"classes the real ones lack: ER\+"):
        task_of(tiles, fabric, synthetic=str(tmp_path))


@pytest.mark.usefixtures("settings")
def test_tiles_without_brown_may_be_left_out_of_the_positive_class(tiles: Path, fabric: Fabric, tmp_path: Path) -> None:
    for path in tiles.rglob("*.png"):
        (tmp_path / path.parent.name).mkdir(exist_ok=True)
        (tmp_path / path.parent.name / path.name).write_bytes(path.read_bytes())
    blank = np.full((128, 128, 3), 240, np.uint8)
    cv2.circle(blank, (60, 60), 20, (180, 120, 120), -1)
    cv2.imwrite(str(tmp_path / "PR+" / "case01__blank.png"), blank)
    every, stained = (
        task_of(tmp_path, fabric, drop_unstained=drop, val_share=0, test_share=0) for drop in (False, True)
    )
    blank_item = [item.path.name for item in every.data.items].index("case01__blank.png")
    assert blank_item in every.cache.items[every.source.indices]
    assert blank_item not in stained.cache.items[stained.source.indices]
    assert (every.source.labels == 0).sum() == (stained.source.labels == 0).sum()


def test_a_tied_network_saves_the_published_one() -> None:
    tied = TiedSimpleCNN().eval()
    plain = SimpleCNN().eval()
    plain.load_state_dict(published_layout(tied))
    batch = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        assert torch.allclose(tied(batch), plain(batch), atol=1e-5)


def test_ihcnet_starts_from_its_own_weights_with_a_new_last_layer(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = IHCNet()
    save_safetensors(network.state_dict(), tmp_path / "four.safetensors", half=False)
    config = read_config({"recipe": "ihcnet", "start": str(tmp_path / "four.safetensors")})
    three = build_classifier(config, 3, tmp_path)
    assert torch.equal(three.state_dict()["classifier.4.weight"], network.state_dict()["classifier.4.weight"])
    assert three.state_dict()["classifier.8.weight"].shape == (3, 256)


def test_weights_of_another_recipe_are_no_start(tmp_path: Path) -> None:
    save_safetensors(SimpleCNN().state_dict(), tmp_path / "cnn.safetensors")
    config = read_config({"recipe": "ihcnet", "start": str(tmp_path / "cnn.safetensors")})
    with pytest.raises(WeightsError, match="of another network"):
        build_classifier(config, 4, tmp_path)


def test_imagenet_weights_are_never_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(InvalidOptionError, match="nothing is downloaded here"):
        build_classifier(read_config({"recipe": "ihcnet", "start": "imagenet"}), 4, tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    vit = read_config({"recipe": "vit", "start": "imagenet", "backbone": "test_vit"})
    with pytest.raises(InvalidOptionError, match="nothing is downloaded here"):
        build_classifier(vit, 4, tmp_path)


def test_a_timm_backbone_gets_the_same_head(tmp_path: Path) -> None:
    network = build_classifier(
        read_config({"recipe": "vit", "start": "random", "backbone": "vit_tiny_patch16_224"}), 4, tmp_path
    )
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 3, 224, 224)).shape == (1, 4)


def test_an_unknown_backbone_is_answered_with_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="Try one of"):
        build_classifier(read_config({"recipe": "vit", "start": "random", "backbone": "resnet_of_mine"}), 4, tmp_path)
