"""What the administrator may change while the workbench runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from core.config import get_settings
from core.db import audit
from core.db.engine import Database
from core.db.records import User
from core.db.tables import SettingTable
from core.errors import InvalidOptionError, PermissionDeniedError, StorageError
from core.labels import Role

MAX_RETENTION_DAYS = 36_500


@dataclass(frozen=True)
class AppSettings:
    """The administrator's settings.

    Attributes:
        guest_mode: anybody may try the samples without an account.
        upload_limit_mb: largest upload.
        keep_originals: keep uploaded files with the history.
        retention_days: remove kept originals after so many days; 0 keeps them as long as their entry.
        remote_url: another workbench's address that does the inference; empty for this one.
        remote_token: API token of the other workbench.
        weights: model -> path of weights used instead of the bundled ones.
        weights_before: model -> paths that were used before, the last one last; empty for the bundled ones.
    """

    guest_mode: bool = False
    upload_limit_mb: int = 500
    keep_originals: bool = False
    retention_days: int = 30
    remote_url: str = ""
    remote_token: str = field(default="", repr=False)
    weights: dict[str, str] = field(default_factory=dict)
    weights_before: dict[str, list[str]] = field(default_factory=dict)


_TYPES: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in get_type_hints(AppSettings).items()}


def get_app_settings(db: Database) -> AppSettings:
    """Return the administrator's settings; what was never set has its default.

    Raises:
        StorageError: a stored value cannot be read.
    """
    with db.read() as session:
        stored = {row.key: row.value for row in session.scalars(select(SettingTable))}
    try:
        values = {name: kind.validate_json(stored[name]) for name, kind in _TYPES.items() if name in stored}
    except ValidationError as error:
        raise StorageError(
            f"The stored settings cannot be read ({error.title}). Restore the database from a backup."
        ) from error
    return AppSettings(**({"upload_limit_mb": get_settings().upload_limit_mb} | values))


def save_app_settings(db: Database, actor: User, new: AppSettings) -> AppSettings:
    """Store the settings that differ and write the change to the audit log (never the remote token).

    Raises:
        PermissionDeniedError: the actor is no administrator.
        InvalidOptionError: a value is out of its range.
    """
    if actor.role is not Role.ADMIN:
        raise PermissionDeniedError("Settings are changed by administrators.")
    _check(new)
    _store(db, actor, new)
    return new


def save_weights(db: Database, actor: User, model: str, path: str, before: Sequence[str]) -> None:
    """Store which weights a model runs with and which it ran with before; researchers may, too.

    Args:
        path: of the weights; empty for the bundled ones.
        before: as in `AppSettings.weights_before`.
    Raises:
        PermissionDeniedError: the actor is neither researcher nor administrator.
    """
    if actor.role not in (Role.RESEARCHER, Role.ADMIN):
        raise PermissionDeniedError("Weights are changed by researchers and administrators.")
    with db.write():
        old = get_app_settings(db)
        weights = {name: chosen for name, chosen in old.weights.items() if name != model}
        former = {name: paths for name, paths in old.weights_before.items() if name != model}
        if path:
            weights[model] = path
        if before:
            former[model] = list(before)
        _store(db, actor, replace(old, weights=weights, weights_before=former))


def _store(db: Database, actor: User, new: AppSettings) -> None:
    with db.write() as session:
        old = get_app_settings(db)
        for name in (each.name for each in fields(AppSettings)):
            before, after = getattr(old, name), getattr(new, name)
            if before == after:
                continue
            session.merge(SettingTable(key=name, value=_TYPES[name].dump_json(after).decode()))
            if name != "weights_before":  # what was before a change is in the line of that change
                action = "weights changed" if name == "weights" else "setting changed"
                audit.record(db, actor, action, _describe(name, before, after))


def _describe(name: str, old: object, new: object) -> str:
    if name == "remote_token":
        return f"{name}: {'set' if new else 'removed'}"
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(key for key in old | new if old.get(key) != new.get(key))
        return ", ".join(f"{key}: {old.get(key, 'bundled')} -> {new.get(key, 'bundled')}" for key in keys)
    return f"{name}: {old} -> {new}"


def _check(new: AppSettings) -> None:
    if not 1 <= new.upload_limit_mb <= 10_000:
        raise InvalidOptionError(f"Upload limit {new.upload_limit_mb} MB: choose 1 to 10000 MB.")
    if not 0 <= new.retention_days <= MAX_RETENTION_DAYS:
        raise InvalidOptionError(f"Retention {new.retention_days} days: choose 0 (no limit) to {MAX_RETENTION_DAYS}.")
    if new.remote_url:
        parts = urlsplit(new.remote_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidOptionError(
                f'"{new.remote_url}" is no address of a workbench. Enter it like https://workbench.example:8501'
            )
