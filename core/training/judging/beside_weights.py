"""What lies beside the weights of a run: sidecar, feature statistics, model card."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.models.sidecar import Sidecar, write_sidecar
from core.quality.novelty import Novelty
from core.quality.novelty_file import save_novelty
from core.training.config import Recipe
from core.training.data.items import DataSet
from core.training.judging.fitting import Fitted
from core.training.judging.run_card import run_card
from core.training.run_folder import RunFolder, disk_error

MODEL_OF = {Recipe.SIMPLE_CNN: "simple_cnn", Recipe.IHCNET: "ihcnet", Recipe.VIT: "vit"}
"""Name under which the weights of a recipe are used."""


def write_beside(
    weights: Path,
    run: RunFolder,
    recipe: Recipe,
    data: DataSet,
    fitted: Fitted,
    novelty: Novelty | None,
    evaluation: Mapping[str, Any],
    sha256: str,
) -> None:
    """Write the sidecar of weights, their feature statistics and their card; earlier ones are replaced.

    Args:
        novelty: None where too little was held out; then no statistics are kept.
        evaluation: as `core.training.judging.evaluation` describes it.
        sha256: of the weights file.
    Raises:
        StorageError: the disk refused a file.
    """
    statistics, text = weights.with_name(f"{weights.stem}.novelty.npz"), weights.with_name(f"{weights.stem}.md")
    today = datetime.now(UTC).date().isoformat()
    origin = f"run {run_name(run)}, {today}, data set {data.root.name}"
    try:
        statistics.unlink(missing_ok=True)
        if novelty is not None:
            save_novelty(novelty, statistics)
        text.write_text(run_card(recipe, data, evaluation, origin=origin), encoding="utf-8")
    except OSError as error:
        raise disk_error(error) from error
    sidecar = Sidecar(
        model=MODEL_OF[recipe],
        labels=data.classes,
        sha256=sha256,
        origin=origin,
        date=today,
        calibration=fitted.sidecar(),
        novelty=statistics.name if novelty is not None else None,
        figures=_headline(evaluation),
        card=text.name,
    )
    write_sidecar(weights, sidecar)


def _headline(evaluation: Mapping[str, Any]) -> dict[str, float | None]:
    calibration = evaluation["calibration"]
    return {
        "accuracy": evaluation["accuracy"]["value"],
        "balanced_accuracy": evaluation["balanced_accuracy"]["value"],
        "kappa": evaluation["kappa"]["value"],
        "tiles": evaluation["accuracy"]["count"],
        "ece_before": calibration["before"]["ece"],
        "ece_after": calibration["after"]["ece"],
    }


def run_name(run: RunFolder) -> str:
    """Return what its owner calls a run; the folder's name where nobody named it."""
    try:
        values = json.loads((run.path / "job.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return run.path.name
    name = values.get("name") if isinstance(values, dict) else None
    return name if isinstance(name, str) and name else run.path.name
