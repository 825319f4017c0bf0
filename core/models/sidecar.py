"""What is known about weights that were trained here, in a JSON file beside them: `NAME.safetensors.json`.

The bundled weights have the manifest for this. A sidecar changes answers (temperature, prediction sets, warnings), so a
damaged one makes its weights unusable instead of being passed over.
"""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.errors import StorageError, WeightsError
from core.models.card import ModelCard

MAX_BYTES = 1_000_000
"""A sidecar holds a page of numbers."""


class SidecarCalibration(BaseModel):
    """How certain the answers of these weights are.

    Attributes:
        temperature: logits are divided by it.
        conformal_threshold: largest 1 - p of a class that stays in the prediction set, for every class.
        conformal_thresholds: the same class by class; goes before `conformal_threshold`.
        coverage: share of held-out images of each class whose true class is then in the set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    conformal_threshold: float | None = Field(default=None, ge=0, le=1)
    conformal_thresholds: dict[str, float] = {}
    coverage: float | None = Field(default=None, gt=0, lt=1)

    @field_validator("conformal_thresholds")
    @classmethod
    def _are_shares(cls, thresholds: dict[str, float]) -> dict[str, float]:
        for label, threshold in thresholds.items():
            if not 0 <= threshold <= 1:
                raise ValueError(f"the threshold of {label!r} must lie between 0 and 1")
        return thresholds


class Sidecar(BaseModel):
    """One sidecar.

    Attributes:
        model: name of the card that the weights are for; free text where they fit none of the cards.
        labels: classes in the order of the outputs; empty where the network has none.
        sha256: of the weights file.
        origin: what they were trained on, by which run.
        date: when, as YYYY-MM-DD.
        calibration: None for networks that do not classify.
        novelty: name of the file with the feature statistics, beside the weights; None where there is none.
        index: name of the file with the features of a generator's training tiles, beside the weights; None likewise.
        figures: held-out figures by name.
        card: name of the model card in Markdown, beside the weights; None where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    labels: tuple[str, ...] = ()
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    origin: str = ""
    date: str = ""
    calibration: SidecarCalibration | None = None
    novelty: str | None = None
    index: str | None = None
    figures: dict[str, float | None] = {}
    card: str | None = None

    @field_validator("novelty", "index", "card")
    @classmethod
    def _lies_beside(cls, name: str | None) -> str | None:
        if name is not None and (not name or Path(name).name != name or "\\" in name):
            raise ValueError("must be the name of a file beside the weights, without folders")
        return name

    def extras(self) -> dict[str, Any]:
        """Return what the manifest would add to such weights; see `core.models.manifest.Entry.extras`."""
        found: dict[str, Any] = {}
        if self.calibration is not None:
            found["calibration"] = self.calibration.model_dump(exclude_none=True)
        if self.novelty is not None:
            found["novelty"] = self.novelty
        if self.index is not None:
            found["index"] = self.index
        if self.figures:
            found["figures"] = dict(self.figures)
        return found


def sidecar_path(weights: Path) -> Path:
    """Return where the sidecar of a weights file lies."""
    return weights.with_name(f"{weights.name}.json")


def write_sidecar(weights: Path, sidecar: Sidecar) -> Path:
    """Write the sidecar of a weights file, whole or not at all, and return its path.

    Raises:
        StorageError: the disk refused it.
    """
    path = sidecar_path(weights)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(sidecar.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError(f"{path.name} cannot be written ({error.strerror}). Free some disk space.") from error
    return path


def read_sidecar(weights: Path, card: ModelCard | None = None) -> Sidecar | None:
    """Read the sidecar of a weights file; None where it has none.

    Args:
        card: the model the weights shall be used for; None asks for no particular one.

    Raises:
        WeightsError: it is damaged, or belongs to weights of another model or other classes.
    """
    path = sidecar_path(weights)
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{path.name} is no description of weights: it has more than {MAX_BYTES} bytes.")
        sidecar = Sidecar.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "its content"
        raise _damaged(path, f"{place}: {problem['msg']}") from error
    except (OSError, ValueError, RecursionError) as error:  # ValueError: not JSON, not UTF-8, a null in the path
        raise _damaged(path, str(error)) from error
    if card is not None:
        _check_card(sidecar, card, path)
    return sidecar


def _check_card(sidecar: Sidecar, card: ModelCard, path: Path) -> None:
    if sidecar.model != card.name:
        raise WeightsError(f"{path.name} says that its weights are for {sidecar.model}, not for {card.title}.")
    if sidecar.labels != card.labels:
        raise WeightsError(
            f"These weights tell {', '.join(sidecar.labels) or 'no classes'} apart; "
            f"{card.title} is used for {', '.join(card.labels) or 'no classes'}. Choose weights with these classes."
        )


def _damaged(path: Path, reason: str) -> WeightsError:
    return WeightsError(
        f"{path.name}, which describes the weights beside it, is damaged ({reason[:200]}). Export the weights again "
        "from their run, or remove the file to use them without calibration."
    )
