"""Run folders as a training would leave them, filled by hand."""

import json
import math
from pathlib import Path

import cv2
import numpy as np

from core.db import User
from core.jobs.records import Wish
from core.jobs.submission import new_run
from core.training.config import CONFIGS, Recipe, StudyConfig
from core.training.run_folder import RunFolder, State, Status
from core.training.study.results import evaluate_study, read_lines

EPOCHS = 10


def add_run(
    user: User,
    name: str,
    recipe: Recipe = Recipe.SIMPLE_CNN,
    *,
    state: State = State.FINISHED,
    epoch: int = EPOCHS,
    message: str = "",
    data: Path = Path("/srv/images"),
    speed: float = 0.35,
) -> str:
    """Write a run of `epoch` epochs (of a study: parts); returns its identifier."""
    config = CONFIGS[recipe](epochs=EPOCHS)
    folder = new_run(user, name=name, data=data, config=config, priority=0, wish=Wish.NONE)
    if recipe is Recipe.STUDY:
        write_study_lines(folder, parts=epoch)
    else:
        _write_stats(folder, recipe, epoch, speed)
    folder.log.write_text("".join(f"10:0{each % 10} epoch {each}\n" for each in range(1, epoch + 1)), encoding="utf-8")
    if epoch and recipe is not Recipe.STUDY:
        folder.weights.write_bytes(b"weights by hand")
    if state is State.FINISHED:
        folder.write_json("evaluation.json", evaluation(folder, recipe))
    ended = state.ended or state is State.QUEUED
    folder.say(
        Status(
            state,
            epoch=epoch,
            epochs=EPOCHS,
            step=0 if ended else 7,
            steps=20,
            seconds=12.5 * epoch,
            left_s=None if ended else 12.5 * (EPOCHS - epoch),
            metric="validation loss",
            best=_loss(epoch, speed) + 0.05 if epoch and recipe is not Recipe.STUDY else None,
            best_epoch=0 if recipe is Recipe.STUDY else epoch,
            unit=config.unit,
            message=message or {State.FINISHED: f"Finished after {epoch} epochs."}.get(state, "training"),
        )
    )
    return folder.path.name


def write_study_lines(folder: RunFolder, *, parts: int) -> None:
    """Write what the first parts of a study leave: classifiers that synthetic images help a little, and a filtering."""
    rng = np.random.default_rng(0)
    filtering = {"drawn": [150, 350], "accepted": [120, 260], "every": {"other class": 90, "classifier unsure": 40}}
    filtering |= {"kind": "filter", "key": "filter/1/0", "share": 1.0, "fold": 0, "first": {"other class": 90}}
    lines: list[dict[str, object]] = [filtering]
    arms = ((0.0, False), (0.5, False), (1.0, False), (2.0, False), (1.0, True), (2.0, True))
    for seed, fold in ((seed, fold) for seed in range(3) for fold in range(3)):
        for ratio, filtered in arms:
            hits = {f"case{case}": int(30 + 3 * ratio + 4 * rng.normal()) for case in range(fold, 24, 3)}
            lines.append(
                {
                    "kind": "cell",
                    "key": f"cell/1/{fold}/{seed}/{ratio}{filtered}",
                    "share": 1.0,
                    "fold": fold,
                    "seed": seed,
                    "ratio": ratio,
                    "filtered": filtered,
                    "real": 450,
                    "synthetic": round(450 * ratio),
                    "classes": ["PR-", "PR+"],
                    "confusions": {case: [[18, 2], [50 - count, count]] for case, count in hits.items()},
                }
            )
    for line in lines[:parts]:
        folder.add_stats(line)


def _loss(epoch: float, speed: float) -> float:
    return 0.08 + 0.62 * math.exp(-speed * epoch)


def _write_stats(folder: RunFolder, recipe: Recipe, epochs: int, speed: float) -> None:
    rng = np.random.default_rng(0)
    for epoch in range(1, epochs + 1):
        for step in (5, 10, 15, 20):
            loss = _loss(epoch - 1 + step / 20, speed) * float(rng.uniform(0.85, 1.15))
            folder.add_stats({"kind": "step", "epoch": epoch, "step": step, "seconds": 12.5 * epoch, "loss": loss})
        folder.add_stats({"kind": "epoch", "epoch": epoch, "seconds": 12.5 * epoch} | _figures(recipe, epoch, speed))
        if recipe in (Recipe.MEDSYNGAN, Recipe.VIRTUAL_STAIN):
            draw(folder.samples / f"epoch-{epoch:05d}.png", seed=epoch, rows=2, columns=8)


def _figures(recipe: Recipe, epoch: int, speed: float) -> dict[str, float]:
    loss = _loss(epoch, speed)
    if recipe is Recipe.MEDSYNGAN:
        shares = {"d_real": 0.5 + loss / 2, "d_fake": 0.5 - loss / 2}
        return {"g_loss": 1.5 - loss, "d_loss": 0.7 - loss / 2, **shares, "diversity": 0.2 + epoch / 20}
    if recipe is Recipe.VIRTUAL_STAIN:
        return {"train_loss": loss, "val_loss": loss + 0.05, "val_ssim": 0.8 - loss / 2, "learning_rate": 2e-4}
    accuracy = {"train_accuracy": 1 - loss / 2, "val_accuracy": 0.95 - loss / 2}
    return {"train_loss": loss, "val_loss": loss + 0.05, **accuracy, "learning_rate": 1e-3 * 0.9**epoch}


def evaluation(folder: RunFolder, recipe: Recipe) -> dict[str, object]:
    """Final figures of a recipe, with pictures."""
    if recipe is Recipe.MEDSYNGAN:
        draw(folder.pictures / "samples.png", seed=1, rows=2, columns=12)
        figures = {"frechet": 41.2, "frechet_low": 38.0, "frechet_high": 45.0, "precision": 0.71, "recall": 0.42}
        figures |= {"class_consistency": 0.93, "memorised_share": 0.02}
        classes = [{"label": "PR-", "count": 100, "frechet": 44.0}, {"label": "PR+", "count": 100, "frechet": 40.0}]
        return {
            "kind": "gan",
            "classes": ["PR-", "PR+"],
            "figures": figures,
            "real": {"frechet": 12.3, "precision": 0.9},
            "per_class": classes,
            "samples": "pictures/samples.png",
        }
    if recipe is Recipe.VIRTUAL_STAIN:
        draw(folder.pictures / "pair-1.png", seed=1, rows=1, columns=3)
        return {
            "kind": "virtual-stain",
            "pairs": 4,
            "figures": {"ssim": 0.52, "psnr": 17.1, "dab_correlation": 0.61, "dice": 0.55},
            "identity": {"ssim": 0.4, "psnr": 13.0, "dab_correlation": 0.2, "dice": 0.0},
            "mean_colour": {"ssim": 0.45, "psnr": 16.0, "dab_correlation": 0.3, "dice": 0.31},
            "pictures": [{"picture": "pictures/pair-1.png", "case": "00017"}],
        }
    if recipe is Recipe.STUDY:
        return evaluate_study(StudyConfig(), read_lines(folder).values())
    return _classifier(folder)


def _classifier(folder: RunFolder) -> dict[str, object]:
    draw(folder.pictures / "error-01.png", seed=1)
    draw(folder.pictures / "error-01-cam.png", seed=2)
    bins = [{"confidence": each / 10, "accuracy": each / 10 - 0.08, "count": 9} for each in range(5, 11)]
    fair = [{"confidence": each / 10, "accuracy": each / 10 - 0.01, "count": 9} for each in range(5, 11)]
    rate = [0.0, 0.02, 0.05, 0.1, 0.3, 1.0]
    hits = [0.0, 0.7, 0.86, 0.93, 0.98, 1.0]
    return {
        "recipe": "simple-cnn",
        "kind": "classifier",
        "classes": ["PR-", "PR+"],
        "subset": "test",
        "cases_known": True,
        "confusion": [[37, 3], [4, 36]],
        "accuracy": {"value": 0.9125, "low": 0.83, "high": 0.957, "count": 80},
        "balanced_accuracy": {"value": 0.9125, "low": 0.84, "high": 0.96},
        "kappa": {"value": 0.825, "low": 0.7, "high": 0.93},
        "per_class": [
            {"label": "PR-", "count": 40, "recall": 0.925, "low": 0.8, "high": 0.974, "auc": 0.961},
            {"label": "PR+", "count": 40, "recall": 0.9, "low": 0.769, "high": 0.96, "auc": 0.961},
        ],
        "roc": [{"label": label, "fpr": rate, "tpr": hits} for label in ("PR-", "PR+")],
        "precision_recall": [
            {"label": label, "recall": [0.0, 0.5, 0.9, 1.0], "precision": [1.0, 0.98, 0.9, 0.5]}
            for label in ("PR-", "PR+")
        ],
        "calibration": {
            "before": {"ece": 0.083, "bins": bins},
            "after": {"ece": 0.021, "bins": fair},
            "temperature": 1.6,
        },
        "conformal": {"coverage": 0.9, "thresholds": {"PR-": 0.3, "PR+": 0.4}, "held": {"PR-": 0.92, "PR+": 0.9}},
        "cases": {"count": 8, "exact": 7, "within_one": 8},
        "gap": {"train_accuracy": 0.99, "val_accuracy": 0.86, "train_loss": 0.03, "val_loss": 0.31},
        "errors": [
            {
                "picture": "pictures/error-01.png",
                "heatmap": "pictures/error-01-cam.png",
                "truth": "PR+",
                "predicted": "PR-",
                "confidence": 0.97,
                "file": "tile_17.png",
                "case": "case-3",
            }
        ],
    }


def draw(path: Path, *, seed: int, rows: int = 1, columns: int = 1) -> None:
    """Write blobs of hematoxylin and DAB as an image of tiles."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    image = np.full((rows * 128, columns * 128, 3), 238, np.uint8)
    for _ in range(9 * rows * columns):
        at = (int(rng.integers(0, image.shape[1])), int(rng.integers(0, image.shape[0])))
        cv2.circle(image, at, int(rng.integers(7, 13)), [(150, 110, 90), (60, 90, 150)][int(rng.integers(2))], -1)
    cv2.imwrite(str(path), image)


def write_class_folders(
    folder: Path, classes: tuple[str, ...] = ("PR-", "PR+"), *, cases: int = 4, tiles: int = 3
) -> Path:
    """Write small class folders of drawn tiles, with case folders."""
    for number, label in enumerate(classes):
        for case in range(cases):
            for tile in range(tiles):
                draw(folder / label / f"{label}{case}" / f"{tile}.png", seed=1000 * number + 10 * case + tile)
    return folder


def read_evaluation(folder: RunFolder) -> dict[str, object]:
    """What a run's evaluation says."""
    found: dict[str, object] = json.loads(folder.evaluation.read_text(encoding="utf-8"))
    return found
