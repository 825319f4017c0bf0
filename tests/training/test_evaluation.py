"""Judging a trained classifier, and what is written beside its weights."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from core.models.registry import get_card
from core.models.sidecar import read_sidecar
from core.models.simple_cnn import SimpleCNN
from core.models.weights import load_weights, save_safetensors
from core.quality.appearance import appearance
from core.quality.novelty_file import load_novelty
from core.training.config import Recipe, SimpleCnnConfig
from core.training.data.items import DataSet, Item, Kind
from core.training.data.tile_cache import TileCache
from core.training.judging.curves import MAX_POINTS, area_under_roc, precision_recall_curves, roc_curves
from core.training.judging.evaluation import evaluate_classifier, worst_errors
from core.training.judging.finishing import finish_classifier
from core.training.judging.fitting import Fitted
from core.training.judging.held_out import HeldOut, is_ordered
from core.training.run_folder import RunFolder
from core.types import RGBImage

PR = ("PR-", "PR+")
HER2 = ("0", "1+", "2+", "3+")
NOTHING = Fitted(1.0, {}, 0.9, ())
NO_GAP: dict[str, float | None] = {}


def answered(truth: list[int], answers: list[int], classes: tuple[str, ...], *, tiles_per_case: int = 1) -> HeldOut:
    """Tiles that a network answers so, with a confidence that falls from tile to tile."""
    logits = np.zeros((len(truth), len(classes)), np.float32)
    logits[np.arange(len(truth)), answers] = np.linspace(4, 1, len(truth))
    cases = np.array([f"case {index // tiles_per_case}" for index in range(len(truth))])
    return HeldOut(logits, np.array(truth), cases, classes)


def judge(held: HeldOut, fitted: Fitted = NOTHING) -> dict[str, Any]:
    return evaluate_classifier(held, fitted, subset="test", gap=NO_GAP)


def test_figures_of_known_answers() -> None:
    found = judge(answered([0, 0, 0, 1, 1], [0, 0, 1, 1, 1], PR))
    assert found["confusion"] == [[2, 1], [0, 2]]
    assert (found["accuracy"]["value"], found["accuracy"]["count"]) == (0.8, 5)
    assert found["balanced_accuracy"]["value"] == pytest.approx(5 / 6)
    assert [each["recall"] for each in found["per_class"]] == [pytest.approx(2 / 3), 1.0]
    assert found["kappa"]["weights"] == "none"
    assert found["cases"] == {"count": 5, "exact": 4, "within_one": None}


def test_it_can_be_kept_as_json() -> None:
    json.dumps(judge(answered([0, 0, 0, 1, 1], [0, 0, 1, 1, 1], PR)), allow_nan=False)


def test_every_interval_holds_its_figure() -> None:
    found = judge(answered([0, 1, 2, 3] * 5, [0, 1, 2, 2] * 5, HER2, tiles_per_case=4))
    for name in ("accuracy", "balanced_accuracy", "kappa"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]


def test_grades_are_compared_by_distance() -> None:
    near = judge(answered([0, 1, 2, 3], [1, 1, 2, 3], HER2))
    far = judge(answered([0, 1, 2, 3], [3, 1, 2, 3], HER2))
    assert near["kappa"]["weights"] == "quadratic"
    assert near["kappa"]["value"] > far["kappa"]["value"]
    assert (near["cases"]["within_one"], far["cases"]["within_one"]) == (4, 3)


@pytest.mark.parametrize(
    ("classes", "ordered"),
    [
        (HER2, True),
        (("0", "2+", "3+"), True),
        (("1", "2", "10"), True),
        (("fat", "stroma", "tumour"), False),
        (PR, False),
    ],
)
def test_which_classes_are_grades(classes: tuple[str, ...], ordered: bool) -> None:
    assert is_ordered(classes) is ordered


def test_a_class_without_tiles_has_no_recall_and_no_curve() -> None:
    found = judge(answered([0, 1, 2, 0], [0, 1, 2, 0], HER2))
    assert found["per_class"][3]["recall"] is None and found["per_class"][3]["auc"] is None
    assert [curve["label"] for curve in found["roc"]] == ["0", "1+", "2+"]


def test_cases_whose_tiles_differ_have_no_answer_of_their_own() -> None:
    assert judge(answered([0, 1, 0, 1], [0, 1, 0, 1], PR, tiles_per_case=2))["cases"] is None


def test_cases_that_are_unknown_are_not_counted() -> None:
    held = replace(answered([0, 1], [0, 1], PR), cases_known=False)
    assert judge(held)["cases"] is None


def test_curves_are_thin_and_keep_their_ends() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 3000)
    logits = np.stack([np.zeros(3000), rng.normal(labels, 1.0)], 1).astype(np.float32)
    held = HeldOut(logits, labels, np.arange(3000).astype(str), PR)
    (roc,), (curve,) = roc_curves(held), precision_recall_curves(held)
    assert roc["label"] == "PR+" and len(roc["fpr"]) == len(roc["tpr"]) <= MAX_POINTS
    assert (roc["fpr"][0], roc["tpr"][0], roc["fpr"][-1], roc["tpr"][-1]) == (0, 0, 1, 1)
    assert (curve["recall"][0], curve["recall"][-1]) == (1, 0) and len(curve["recall"]) <= MAX_POINTS
    assert np.trapezoid(roc["tpr"], roc["fpr"]) == pytest.approx(area_under_roc(held, 1), abs=0.01)
    assert area_under_roc(held, 1) == pytest.approx(roc_auc_score(labels, logits[:, 1]))


def test_the_worst_errors_are_the_surest() -> None:
    held = answered([0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 1], PR)
    assert worst_errors(held, 1.0, limit=2).tolist() == [0, 2]


def test_prediction_sets_are_judged_class_by_class() -> None:
    held = answered([0, 0, 1, 1], [0, 0, 0, 1], PR)
    found = judge(held, Fitted(1.0, {"PR-": 0.5, "PR+": 0.5}, 0.9, ("PR+: few.",)))
    assert found["conformal"]["held"] == {"PR-": 1.0, "PR+": 0.5}
    assert found["conformal"]["mean_size"] == 1.0
    assert found["notes"] == ["PR+: few."]


# ---- the end of a run, on tiles that are brown or blue


def brown_or_blue(label: int, rng: np.random.Generator) -> RGBImage:
    colour = np.array([(90, 100, 190), (150, 100, 60)][label])
    return np.clip(colour + rng.normal(0, 12, (128, 128, 3)), 0, 255).astype(np.uint8)


def data_of(cases: int, subsets: tuple[int, ...]) -> tuple[DataSet, TileCache]:
    """Two tiles of each case; the cases take turns through classes and subsets."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(cases) % 2, 2)
    names = tuple(f"case{index:02}" for index in np.repeat(np.arange(cases), 2))
    items = tuple(
        Item(Path(f"/data/{PR[label]}/{case}_{index}.png"), PR[label], case)
        for index, (label, case) in enumerate(zip(labels, names, strict=True))
    )
    cache = TileCache(
        folder=Path("/nowhere"),
        tiles=np.stack([brown_or_blue(int(label), rng) for label in labels]),
        labels=labels,
        items=np.arange(len(labels)),
        subsets=np.repeat([subsets[(index // 2) % len(subsets)] for index in range(cases)], 2),
        unstained=np.zeros(len(labels), bool),
        classes=PR,
        cases=names,
    )
    return DataSet(Path("/data"), Kind.CLASSES, items, PR, True), cache


def brownness(tiles: RGBImage) -> tuple[np.ndarray, np.ndarray]:
    """Logits and features by mean colour; one tile in five is answered wrongly, and the surer the bluer."""
    means = tiles.reshape(len(tiles), -1, 3).mean(1)
    margin = (means[:, 0] - means[:, 2]) / 20
    margin[::5] *= -1
    deviations = tiles.reshape(len(tiles), -1, 3).std(1)
    return np.stack([-margin, margin], 1).astype(np.float32), np.concatenate([means, deviations], 1).astype(np.float32)


def finish(folder: Path, data: DataSet, cache: TileCache) -> tuple[RunFolder, dict[str, Any]]:
    run = RunFolder(folder / "cleo")
    run.path.mkdir(exist_ok=True)
    torch.manual_seed(0)
    network = SimpleCNN().eval()
    save_safetensors(network.state_dict(), run.weights)
    found = finish_classifier(
        run,
        predict=brownness,
        network=network,
        card=get_card("simple_cnn"),
        recipe=Recipe.SIMPLE_CNN,
        cache=cache,
        data=data,
        config=SimpleCnnConfig(),
        weights=run.weights,
    )
    return run, found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, dict[str, Any]]:
    """A run of 60 cases: a third each to train, validate and test."""
    return finish(tmp_path_factory.mktemp("runs"), *data_of(60, (0, 1, 2)))


def test_the_test_cases_are_judged(finished: tuple[RunFolder, dict[str, Any]]) -> None:
    _, found = finished
    assert (found["subset"], found["recipe"], found["accuracy"]["count"]) == ("test", "simple-cnn", 40)
    assert found["accuracy"]["value"] == 0.8
    assert found["gap"]["train_accuracy"] == found["gap"]["val_accuracy"] == 0.8
    json.dumps(found, allow_nan=False)


def test_the_temperature_lowers_the_calibration_error(finished: tuple[RunFolder, dict[str, Any]]) -> None:
    calibration = finished[1]["calibration"]
    assert calibration["temperature"] > 1.5
    assert calibration["after"]["ece"] < calibration["before"]["ece"]


def test_errors_are_pictures_with_heat_maps(finished: tuple[RunFolder, dict[str, Any]]) -> None:
    run, found = finished
    first = found["errors"][0]
    assert len(found["errors"]) == 8
    assert first["truth"] != first["predicted"] and first["file"].startswith(("PR-/case", "PR+/case"))
    confidences = [each["confidence"] for each in found["errors"]]
    assert confidences == sorted(confidences, reverse=True)
    for key in ("picture", "heatmap"):
        picture = cv2.imread(str(run.path / first[key]))
        assert picture is not None and picture.shape == (128, 128, 3)


def test_the_sidecar_belongs_to_the_weights(finished: tuple[RunFolder, dict[str, Any]]) -> None:
    run, found = finished
    card = get_card("simple_cnn")
    sidecar = read_sidecar(run.weights, card)
    assert sidecar is not None and sidecar.calibration is not None
    assert sidecar.sha256 == load_weights(card, run.weights).sha256
    assert sidecar.calibration.temperature == found["calibration"]["temperature"]
    assert sidecar.figures["accuracy"] == 0.8 and sidecar.origin.startswith("run cleo, ")
    assert "Expected calibration error" in (run.path / "weights.md").read_text(encoding="utf-8")


def test_feature_statistics_tell_other_colours(finished: tuple[RunFolder, dict[str, Any]]) -> None:
    run, found = finished
    novelty = load_novelty(run.path / "weights.novelty.npz")
    assert found["novelty"]["cases"] == 20 and found["novelty"]["false_alarms"] <= 4
    green = np.full((5, 128, 128, 3), (40, 220, 60), np.uint8)
    assert novelty.distances(brownness(green)[1], appearance(green)).min() > novelty.threshold


def test_an_end_that_comes_again_replaces_the_first(tmp_path: Path) -> None:
    data, cache = data_of(60, (0, 1, 2))
    run, first = finish(tmp_path, data, cache)
    (run.pictures / "error-12.png").write_bytes(b"old")
    assert finish(tmp_path, data, cache)[1] == first
    assert not (run.pictures / "error-12.png").exists()


def test_without_test_images_the_validation_images_are_judged_and_it_is_said(tmp_path: Path) -> None:
    _, found = finish(tmp_path, *data_of(20, (0, 1)))
    assert found["subset"] == "val" and "no test images" in found["notes"][0]
    assert found["novelty"] is not None


def test_with_nothing_held_out_nothing_is_promised(tmp_path: Path) -> None:
    run, found = finish(tmp_path, *data_of(20, (0,)))
    assert found["subset"] == "train" and "Nothing was held out" in found["notes"][0]
    assert found["calibration"]["temperature"] == 1.0
    assert found["conformal"]["thresholds"] == {"PR-": 1.0, "PR+": 1.0}
    assert found["novelty"] is None and not (run.path / "weights.novelty.npz").exists()
    assert found["gap"]["val_accuracy"] is None


def test_a_split_by_file_is_said(tmp_path: Path) -> None:
    data, cache = data_of(20, (0, 1, 2))
    _, found = finish(tmp_path, replace(data, cases_known=False), cache)
    assert found["cases_known"] is False and "split by file" in found["notes"][0]
