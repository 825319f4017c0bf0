"""What a person changes about a measurement on the screen: regions, corrections, thresholds, with undo and redo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import AppError, InvalidOptionError
from core.quantify.grading import check_corrections
from core.quantify.regions import checked_region
from core.types import Adjustments, Nuclei, Thresholds

STEPS_KEPT = 500
HIGHEST = 1.5
"""Largest threshold that can be set, in optical density."""

GAP = 0.01
"""Smallest distance of two thresholds, in optical density: one step of their sliders."""


@dataclass
class Adjusting:
    """The changes to one result, as they are, as they were, and as they are stored.

    Attributes:
        stored: as the history has them; what differs from them is not saved yet.
        past, future: for undo and redo, the nearest last.
        taken: viewer in a browser -> number of its last event that was taken over.
        problem: why the last change was refused, in the user's words.
        revision: counts changes, so that nothing is computed twice for one state.
    """

    now: Adjustments = field(default_factory=Adjustments)
    stored: Adjustments = field(default_factory=Adjustments)
    past: list[Adjustments] = field(default_factory=list)
    future: list[Adjustments] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    revision: int = 0

    @classmethod
    def of(cls, stored: Adjustments) -> "Adjusting":
        """Start from what is stored."""
        return cls(now=stored, stored=stored)

    @property
    def changed(self) -> bool:
        """Whether anything differs from the measurement as it was made."""
        return self.now != Adjustments()

    @property
    def unsaved(self) -> bool:
        """Whether anything differs from what is stored."""
        return self.now != self.stored

    def change(self, now: Adjustments) -> None:
        """Take over a new state; the former one can be undone."""
        self.problem = ""
        if now == self.now:
            return
        self.past = [*self.past[-STEPS_KEPT + 1 :], self.now]
        self.future = []
        self._set(now)

    def undo(self) -> None:
        """Go back one step."""
        self.problem = ""
        if self.past:
            self.future.append(self.now)
            self._set(self.past.pop())

    def redo(self) -> None:
        """Go forward again by one step that was undone."""
        self.problem = ""
        if self.future:
            self.past.append(self.now)
            self._set(self.future.pop())

    def reset(self) -> None:
        """Change everything back to the measurement as it was made; that can be undone."""
        self.change(Adjustments())

    def keep(self, stored: Adjustments) -> None:
        """Note what is stored now."""
        self.problem = ""
        self.stored = stored
        if self.now != stored:  # regions are cut at the edges of the image
            self._set(stored)

    def set_thresholds(self, *, weak: float | None, moderate: float, strong: float, moved: str) -> None:
        """Move one threshold; the others give way so that they still rise, between one step and `HIGHEST`."""
        values = {} if weak is None else {"weak": weak}
        values |= {"moderate": moderate, "strong": strong}
        names = list(values)
        at, last = names.index(moved), len(names) - 1
        values[moved] = min(max(values[moved], (at + 1) * GAP), HIGHEST - (last - at) * GAP)
        for place in range(at + 1, last + 1):
            values[names[place]] = max(values[names[place]], values[names[place - 1]] + GAP)
        for place in range(at - 1, -1, -1):
            values[names[place]] = min(values[names[place]], values[names[place + 1]] - GAP)
        rounded = {name: round(value, 3) for name, value in values.items()}
        self.change(replace(self.now, thresholds=Thresholds(**{"weak": None, **rounded})))

    def take(self, message: object, identity: str, nuclei: Nuclei, size: tuple[int, int]) -> None:
        """Take over what was done in the viewer; an event that came before is passed over.

        Args:
            message: {"id": result, "client": viewer, "list": [event]} as the browser sent it.
            identity: of the result on the screen; messages about another one are passed over.
            size: (width, height) of the upload.
        """
        if not isinstance(message, Mapping) or message.get("id") != identity:
            return
        client, events = str(message.get("client", "")), message.get("list")
        for event in events if isinstance(events, Sequence) else ():
            if not isinstance(event, Mapping) or not isinstance(event.get("n"), int):
                continue
            if event["n"] > self.taken.get(client, 0):
                self.taken[client] = event["n"]
                try:
                    self._apply(event, nuclei, size)
                except AppError as error:
                    self.problem = str(error)

    def _apply(self, event: Mapping[str, Any], nuclei: Nuclei, size: tuple[int, int]) -> None:
        kind = event.get("kind")
        if kind == "undo":
            self.undo()
        elif kind == "redo":
            self.redo()
        elif kind == "region":
            region = checked_region(event.get("points") or (), size, bool(event.get("exclude")))
            self.change(replace(self.now, regions=(*self.now.regions, region)))
        elif kind == "remove":
            number = _whole(event.get("region"))
            kept = tuple(region for place, region in enumerate(self.now.regions) if place != number)
            self.change(replace(self.now, regions=kept))
        elif kind == "correct":
            self._correct(_whole(event.get("nucleus")), event.get("to"), nuclei)

    def _correct(self, row: int, grade: object, nuclei: Nuclei) -> None:
        corrections = {other: each for other, each in self.now.corrections.items() if other != row}
        if grade is not None:
            corrections[row] = _whole(grade)
        check_corrections(corrections, len(nuclei))
        self.change(replace(self.now, corrections=corrections))

    def _set(self, now: Adjustments) -> None:
        self.now = now
        self.revision += 1


def summary(adjustments: Adjustments) -> str:
    """What was changed, in words: "1 region, 3 corrections, weak from 0.25 OD"; empty where nothing was."""
    default = Adjustments().thresholds
    parts = [
        _counted(sum(not region.exclude for region in adjustments.regions), "region"),
        _counted(sum(region.exclude for region in adjustments.regions), "excluded region"),
        _counted(len(adjustments.corrections), "correction"),
    ]
    for name in ("weak", "moderate", "strong"):
        value = getattr(adjustments.thresholds, name)
        if value != getattr(default, name):
            parts.append(f"{name} as detected" if value is None else f"{name} from {value:.2f} OD")
    return ", ".join(part for part in parts if part)


def _counted(count: int, thing: str) -> str:
    return "" if not count else f"{count} {thing}" + ("" if count == 1 else "s")


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOptionError("The change that came from the picture is not complete. Make it again.")
    return value
