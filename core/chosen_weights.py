"""Weights in the place of the bundled ones, checked before they are used, and the way back to those before.

Files and uploads are the administrator's choice; researchers may use the weights of runs, and go back.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from core import jobs
from core.auth import require
from core.config import get_settings
from core.db import Database, User
from core.db.settings import get_app_settings, save_weights
from core.errors import ConflictError, StorageError, WeightsError
from core.images import safe_name
from core.labels import Role
from core.models.card import ModelCard
from core.models.registry import get_card
from core.models.weights import check_weights
from core.run_weights import keep_weights

SUFFIXES = (".safetensors", ".pth", ".pt")

BUNDLED = ""
"""Stored in the place of a path for the weights that came with the workbench."""

KEPT = 10
"""Steps that one can go back."""


@dataclass(frozen=True)
class UsedWeights:
    """Weights that are active now."""

    model: str
    sha256: str


@dataclass(frozen=True)
class Former:
    """Weights that were active before.

    Attributes:
        path: None for the bundled ones.
        skipped: sentences about later ones that cannot be used any more.
    """

    path: Path | None
    skipped: tuple[str, ...] = ()


def use_file(db: Database, actor: User, model: str, path: Path) -> str:
    """Check a weights file on the server and use it from the next analysis on.

    Returns:
        Its SHA-256.
    Raises:
        WeightsError: it cannot be read, is unsafe, or was made for another network; the former weights stay.
        PermissionDeniedError: the actor is no administrator.
    """
    require(actor, Role.ADMIN)
    card = get_card(model)
    if not path.is_file():
        raise WeightsError(f"There is no file {path} on the server. Enter the whole path, or upload the file.")
    sha256 = check_weights(card, path)
    _activate(db, actor, card.name, str(path.resolve()))
    return sha256


def use_upload(db: Database, actor: User, model: str, name: str, data: bytes) -> str:
    """Keep an uploaded weights file in the data folder and use it from the next analysis on.

    Returns:
        Its SHA-256.
    Raises:
        WeightsError: as `use_file`; the upload is not kept then.
        StorageError: the disk refused it.
        PermissionDeniedError: the actor is no administrator.
    """
    require(actor, Role.ADMIN)
    card = get_card(model)
    suffix = Path(safe_name(name)).suffix.lower()
    if suffix not in SUFFIXES:
        raise WeightsError(f"{safe_name(name)} is no weights file. Upload one of: {', '.join(SUFFIXES)}.")
    folder = get_settings().data_dir / "weights"
    target = folder / f"{card.name}-{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
    partial = target.with_name(f"unchecked-{target.name}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError(f"The weights could not be stored ({error.strerror}). Free some disk space.") from error
    try:
        sha256 = check_weights(card, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _activate(db, actor, card.name, str(target.resolve()))
    return sha256


def use_run(db: Database, actor: User, run_id: str) -> UsedWeights:
    """Use the weights of a training run from the next analysis on; a copy, which stays when the run is deleted.

    Raises:
        ConflictError: the run still trains, or has no weights yet.
        WeightsError: the workbench has no use for them, or they are damaged; the former weights stay.
        NotFoundError: there is no such run, or it is somebody else's.
        PermissionDeniedError: the actor is neither researcher nor administrator.
        StorageError: the disk or the database refused it.
    """
    require(actor, *jobs.RESEARCHERS)
    card, path, sha256 = keep_weights(jobs.get_run(actor, run_id))
    _activate(db, actor, card.name, str(path))
    return UsedWeights(card.name, sha256)


def use_bundled(db: Database, actor: User, model: str) -> None:
    """Go back to the weights that came with the workbench.

    Raises:
        PermissionDeniedError: the actor is no administrator.
    """
    require(actor, Role.ADMIN)
    _activate(db, actor, get_card(model).name, BUNDLED)


def previous(db: Database, model: str) -> Former | None:
    """Return what `roll_back` would go back to; None where nothing was active before, or all of it was deleted."""
    before = list(get_app_settings(db).weights_before.get(get_card(model).name, ()))
    skipped: list[str] = []
    while before:
        path = before.pop()
        if path == BUNDLED or Path(path).is_file():
            return Former(Path(path) if path else None, tuple(skipped))
        skipped.append(f"{Path(path).name} was deleted")
    return None


def roll_back(db: Database, actor: User, model: str) -> Former:
    """Use the weights that were active before the present ones; those that cannot be used any more are passed over.

    Raises:
        ConflictError: there are none.
        PermissionDeniedError: the actor is neither researcher nor administrator.
        StorageError: the database refused it.
    """
    require(actor, *jobs.RESEARCHERS)
    card, skipped = get_card(model), list[str]()
    with db.together():
        before = list(get_app_settings(db).weights_before.get(card.name, ()))
        while before:
            path = before.pop()
            problem = _problem(card, path)
            if problem is None:
                save_weights(db, actor, card.name, path, before)
                return Former(Path(path) if path else None, tuple(skipped))
            skipped.append(problem)
    reason = f" ({' '.join(skipped)})" if skipped else ""
    raise ConflictError(f"There are no weights of {card.title} to go back to{reason}.")


def _problem(card: ModelCard, path: str) -> str | None:
    """Why weights that were active once cannot be used any more."""
    try:
        if path != BUNDLED:
            check_weights(card, Path(path))
    except WeightsError as error:
        return str(error)
    return None


def _activate(db: Database, actor: User, model: str, path: str) -> None:
    """Store the choice, and what it replaces for the way back."""
    with db.together():
        settings = get_app_settings(db)
        current = settings.weights.get(model, BUNDLED)
        if current != path:
            before = [*settings.weights_before.get(model, ()), current][-KEPT:]
            save_weights(db, actor, model, path, before)
