"""The model card of weights that were trained here, in Markdown."""

from collections.abc import Mapping
from typing import Any

from core.training.config import Recipe
from core.training.data.items import DataSet

_SUBSETS = {"test": "held-out test", "val": "validation", "train": "training (nothing was held out)"}


def run_card(recipe: Recipe, data: DataSet, evaluation: Mapping[str, Any], *, origin: str) -> str:
    """Return the card: data, split, figures with intervals, calibration, limits."""
    return (
        "\n\n".join(
            [
                f"# Weights of the recipe {recipe.value}",
                f"From {origin}. Research use only; not for diagnosis.",
                _data(data),
                _figures(evaluation),
                _certainty(evaluation),
                "## Limits\n\n" + "\n".join(f"- {note}" for note in _limits(evaluation)),
            ]
        )
        + "\n"
    )


def _data(data: DataSet) -> str:
    counts = [f"{sum(item.label == label for item in data.items)} of {label}" for label in data.classes]
    split = "by case" if data.cases_known else "by file (cases unknown)"
    return (
        f"## Training data\n\nData set {data.root.name}: {len(data.items)} images, {', '.join(counts)}; split {split}."
    )


def _figures(evaluation: Mapping[str, Any]) -> str:
    rows = ["| | value | 95 % interval |", "|---|---|---|"]
    for key, title in (("accuracy", "accuracy"), ("balanced_accuracy", "balanced accuracy"), ("kappa", "kappa")):
        figure = evaluation[key]
        kind = " (quadratic weights)" if figure.get("weights") == "quadratic" else ""
        rows.append(f"| {title}{kind} | {figure['value']:.3f} | {figure['low']:.3f} to {figure['high']:.3f} |")
    for each in evaluation["per_class"]:
        recall = "-" if each["recall"] is None else f"{each['recall']:.3f}"
        rows.append(
            f"| recall of {each['label']} ({each['count']}) | {recall} | {each['low']:.3f} to {each['high']:.3f} |"
        )
    subset = _SUBSETS[evaluation["subset"]]
    text = f"## Figures\n\n{evaluation['accuracy']['count']} {subset} tiles.\n\n" + "\n".join(rows)
    cases = evaluation["cases"]
    if cases:
        near = "" if cases["within_one"] is None else f", {cases['within_one']} within one grade"
        text += f"\n\nCase by case: {cases['exact']} of {cases['count']} exact{near}."
    return text


def _certainty(evaluation: Mapping[str, Any]) -> str:
    calibration, conformal, novelty = (evaluation[key] for key in ("calibration", "conformal", "novelty"))
    held = ", ".join(f"{label} {share:.0%}" for label, share in conformal["held"].items() if share is not None)
    text = (
        f"## Certainty\n\nTemperature {calibration['temperature']:.3f}, fitted to the validation tiles. Expected "
        f"calibration error on the tiles above: {calibration['before']['ece']:.3f} before, "
        f"{calibration['after']['ece']:.3f} after. Prediction sets at {conformal['coverage']:.0%} hold the true "
        f"class of: {held or 'no tiles'}; mean size {conformal['mean_size']:.2f}."
    )
    if novelty is None:
        return text + " Too few cases were held out to warn of images unlike the training images."
    return text + (
        f" Images unlike the training images are warned of beyond a distance of {novelty['threshold']:.2f} "
        f"({novelty['quantile']:.0%} of {novelty['fitted_cases']} cases, each left out in turn, lie below it, or "
        f"shall); false alarms on test cases: {novelty['false_alarms']} of {novelty['cases']}."
    )


def _limits(evaluation: Mapping[str, Any]) -> list[str]:
    return [
        *evaluation["notes"],
        "A tile's class is not a share of tumour cells.",
        "Other scanners, dyes and tissues were not judged.",
    ]
