"""The weights of a training run, made ready to be used: checked, and copied out of the run's folder."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from core.config import get_settings
from core.errors import ConflictError, InvalidDataError, StorageError, WeightsError
from core.jobs import Run, evaluation_of
from core.labels import CLASSES, Marker
from core.models.card import ModelCard
from core.models.registry import CARDS
from core.models.sidecar import Sidecar, read_sidecar, write_sidecar
from core.models.weights import check_weights
from core.training.config import Recipe
from core.training.data import open_data

_FIXED = {Recipe.SIMPLE_CNN: "simple_cnn", Recipe.IHCNET: "ihcnet", Recipe.VIRTUAL_STAIN: "pspstain"}
_GENERATORS = {CLASSES[Marker.PR]: "medsyngan_g", CLASSES[Marker.HER2]: "medsyngan_her2_g"}


def keep_weights(run: Run) -> tuple[ModelCard, Path, str]:
    """Copy a run's weights, with all that describes them, into the data folder's `weights`.

    Returns:
        The model that they are for, the copy, and its SHA-256.
    Raises:
        ConflictError: the run still trains, or has no weights yet.
        WeightsError: the workbench has no use for them: another network, or other classes.
        StorageError: the disk refused it; nothing is left behind.
    """
    source = run.folder.weights
    if run.recipe is Recipe.STUDY:
        raise WeightsError(
            "A study compares classifiers and keeps none of their weights. Train the recipe simple-cnn or ihcnet, with "
            "synthetic images or without, as the study advises."
        )
    if not run.status.state.ended:
        raise ConflictError("This run still trains. Stop it, or wait until it is done; then its weights can be used.")
    if not source.is_file():
        raise ConflictError("This run has no weights yet: not one epoch was done. Resume it first.")
    labels = () if run.recipe is Recipe.VIRTUAL_STAIN else _labels(run)
    card = _card(run.recipe, labels)
    try:
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        folder = get_settings().data_dir.resolve() / "weights"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder / f"{card.name}-{sha256[:16]}.safetensors"
        partial = target.with_name(f"unchecked-{target.name}")
        try:
            shutil.copyfile(source, partial)
            found = check_weights(card, partial)
            write_sidecar(target, _described(run, card, labels, target, found))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"The weights could not be copied ({error.strerror}). Free some disk space.") from error
    return card, target, found


def _card(recipe: Recipe, labels: tuple[str, ...]) -> ModelCard:
    """The model that weights of this recipe and these classes are for.

    Raises:
        WeightsError: there is none.
    """
    if recipe is Recipe.VIT:
        raise WeightsError(
            "Weights of the recipe vit can be exported, but not be used for analyses here: the workbench scores with "
            "IHCNet and SimpleCNN. Train the recipe ihcnet to replace those."
        )
    name = _GENERATORS.get(labels) if recipe is Recipe.MEDSYNGAN else _FIXED[recipe]
    card = CARDS.get(name or "")
    if card is None:
        raise WeightsError(
            f"These weights paint the classes {', '.join(labels)}; the workbench samples {_known(_GENERATORS)}. "
            "They can be exported."
        )
    if labels != card.labels:
        raise WeightsError(
            f"These weights tell {', '.join(labels)} apart; {card.title} is used for {', '.join(card.labels)}. "
            "They can be exported, or train again on images with these classes."
        )
    return card


def _labels(run: Run) -> tuple[str, ...]:
    """The classes that a run learnt, in the order of its outputs.

    Raises:
        WeightsError: nothing says so any more.
    """
    sidecar = _sidecar(run)
    if sidecar is not None:
        return sidecar.labels
    for found in (evaluation_of(run.folder), _noted(run)):
        classes = (found or {}).get("classes")
        if isinstance(classes, list):
            return tuple(str(label) for label in classes)
    try:
        return open_data(Path(run.data)).classes
    except InvalidDataError as error:
        raise WeightsError(
            f"Nothing says which classes these weights tell apart: the run was not evaluated, and its images are gone "
            f"({error})"
        ) from error


def _noted(run: Run) -> dict[str, object]:
    try:
        return dict(json.loads(run.folder.data.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _sidecar(run: Run) -> Sidecar | None:
    """The description of the weights as they are now; a resumed run may have better ones than it describes."""
    sidecar = read_sidecar(run.folder.weights)
    current = hashlib.sha256(run.folder.weights.read_bytes()).hexdigest()
    return sidecar if sidecar is not None and sidecar.sha256 == current else None


def _described(run: Run, card: ModelCard, labels: tuple[str, ...], target: Path, sha256: str) -> Sidecar:
    """The description for the copy; the files that it names are copied beside it under its name."""
    sidecar = _sidecar(run) or Sidecar(model=card.name, labels=labels, sha256=sha256)
    made = datetime.fromtimestamp(run.folder.weights.stat().st_mtime, UTC)
    origin = sidecar.origin or f"run {run.name} of {run.owner}, best of {run.status.epoch} epochs, not evaluated"
    names: dict[str, str | None] = {}
    for key, ending in (("novelty", ".novelty.npz"), ("index", ".index.npz"), ("card", ".md")):
        named = getattr(sidecar, key)
        beside = run.folder.weights.with_name(named) if named else None
        if beside is not None and beside.is_file():
            names[key] = f"{target.stem}{ending}"
            shutil.copyfile(beside, target.with_name(f"{target.stem}{ending}"))
        else:
            names[key] = None
    return sidecar.model_copy(
        update={"model": card.name, "origin": origin, "date": sidecar.date or f"{made:%Y-%m-%d}", **names}
    )


def _known(generators: dict[tuple[str, ...], str]) -> str:
    return " or ".join(", ".join(labels) for labels, name in generators.items() if name in CARDS)
