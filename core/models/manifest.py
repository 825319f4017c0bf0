"""`weights/manifest.toml`: which file holds the weights of which network.

[models.ihcnet]
file = "ihcnet.safetensors"          # or files = ["a.safetensors", "b.safetensors"], read together
sha256 = "..."                       # of the file, or of all files one after the other
card = "ihcnet.md"
origin = "trained on ..."
date = "2026-11-21"

[models.ihcnet.calibration]          # free tables: kept as they are in `Entry.extras`
temperature = 1.4
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import WeightsError
from core.models.registry import CARDS

MANIFEST = "manifest.toml"
_KNOWN = ("file", "files", "sha256", "card", "origin", "date")


@dataclass(frozen=True)
class Entry:
    """The bundled weights of one network.

    Attributes:
        paths: the files, in the order in which their hash is taken.
        sha256: as the manifest states it; None where it states none.
        card: model card in Markdown; None where there is none.
        extras: everything else the manifest says: calibration, conformal thresholds, figures.
    """

    name: str
    paths: tuple[Path, ...]
    sha256: str | None
    card: Path | None
    origin: str
    date: str
    extras: dict[str, Any] = field(default_factory=dict)


def read_manifest(weights_dir: Path) -> dict[str, Entry]:
    """Read the manifest of a weights folder; empty where there is none.

    Raises:
        WeightsError: it is not TOML, names an unknown network, or an entry has no file inside the folder.
    """
    path = weights_dir / MANIFEST
    if not path.is_file():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("models", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise WeightsError(
            f"{MANIFEST} cannot be read ({error}). Restore the file that came with the workbench."
        ) from error
    if not isinstance(tables, dict):
        raise WeightsError(f"{MANIFEST} needs one table [models.NAME] per model.")
    return {name: _entry(name, table, weights_dir) for name, table in tables.items()}


def _entry(name: str, table: Any, weights_dir: Path) -> Entry:
    if name not in CARDS:
        raise WeightsError(f"{MANIFEST} lists a model {name!r}; the models are: {', '.join(CARDS)}.")
    if not isinstance(table, dict):
        raise WeightsError(f"{MANIFEST}: [models.{name}] must be a table.")
    files = table.get("files", [table["file"]] if "file" in table else [])
    if not isinstance(files, list) or not files or not all(isinstance(file, str) and file for file in files):
        raise WeightsError(f"{MANIFEST}: [models.{name}] names no file of weights.")
    for file in files:
        if Path(file).name != file:
            raise WeightsError(f"{MANIFEST}: {file!r} must be a file beside the manifest, without folders.")
    card = table.get("card")
    return Entry(
        name=name,
        paths=tuple(weights_dir / file for file in files),
        sha256=table.get("sha256"),
        card=weights_dir / str(card) if card else None,
        origin=str(table.get("origin", "")),
        date=str(table.get("date", "")),
        extras={key: value for key, value in table.items() if key not in _KNOWN},
    )
