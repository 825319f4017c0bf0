"""Weights that an administrator puts in the place of the bundled ones: checked before they are used."""

import hashlib
from dataclasses import replace
from pathlib import Path

from core.auth import require
from core.config import get_settings
from core.db import Database, User
from core.db.settings import get_app_settings, save_app_settings
from core.errors import StorageError, WeightsError
from core.images import safe_name
from core.labels import Role
from core.models.registry import get_card
from core.models.weights import check_weights

SUFFIXES = (".safetensors", ".pth", ".pt")


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
    _save(db, actor, model, str(path.resolve()))
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
    _save(db, actor, model, str(target.resolve()))
    return sha256


def use_bundled(db: Database, actor: User, model: str) -> None:
    """Go back to the weights that came with the workbench."""
    _save(db, actor, get_card(model).name, None)


def _save(db: Database, actor: User, model: str, path: str | None) -> None:
    settings = get_app_settings(db)
    others = {name: chosen for name, chosen in settings.weights.items() if name != model}
    save_app_settings(db, actor, replace(settings, weights=others if path is None else {**others, model: path}))
