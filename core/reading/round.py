"""One reader's way through blind images: what comes next, what was answered, what it amounts to. Stores nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import ConflictError, InvalidOptionError
from core.labels import CLASSES, Marker

SYNTHETIC, REAL = "synthetic", "real"


class Question(StrEnum):
    """What a reader is asked about every image."""

    ORIGIN = "origin"
    HER2 = "her2"
    PR = "pr"

    @property
    def title(self) -> str:  # type: ignore[override]
        """How it is called on screen."""
        return {"origin": "Real or synthetic?", "her2": "Blind HER2 scoring", "pr": "Blind PR scoring"}[self.value]

    @property
    def answers(self) -> tuple[str, ...]:
        """What may be answered, in the order of the buttons; grades from low to high."""
        if self is Question.ORIGIN:
            return REAL, SYNTHETIC
        return CLASSES[Marker(self.value)]


@dataclass(frozen=True)
class Item:
    """One image of a round.

    Attributes:
        id: says nothing about the image.
        picture: PNG or JPEG without metadata.
        truth: the right answer; empty where nobody knows it, or the reader may not know it yet.
        source: what it is, in words; to be shown after the last answer only.
    """

    id: str
    picture: bytes = b""
    truth: str = ""
    source: str = ""


@dataclass(frozen=True)
class Answer:
    """What was said about one image.

    Attributes:
        value: one of `Question.answers`.
        confidence: 1 (a guess) to 3 (sure); None where it was not said.
        seconds: from the showing of the image to the answer.
    """

    item_id: str
    value: str
    confidence: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Round:
    """The images in the order in which they are shown, and the answers so far.

    Attributes:
        items: shown in this order.
        answers: in the order they were given.
    """

    question: Question
    items: tuple[Item, ...]
    answers: tuple[Answer, ...] = ()

    @property
    def left(self) -> tuple[Item, ...]:
        """The images without an answer, in order."""
        done = {answer.item_id for answer in self.answers}
        return tuple(item for item in self.items if item.id not in done)

    @property
    def next(self) -> Item | None:
        """The image to show; None after the last."""
        return next(iter(self.left), None)

    @property
    def finished(self) -> bool:
        """Whether every image has its answer."""
        return not self.left

    def answer(self, item_id: str, value: str, *, confidence: int | None = None, seconds: float = 0.0) -> "Round":
        """Return the round with one more answer; an image that has one keeps it.

        Raises:
            InvalidOptionError: this cannot be answered, or the round has no such image.
        """
        checked = check_answer(self.question, Answer(item_id, value, confidence, seconds))
        if all(item.id != item_id for item in self.items):
            raise InvalidOptionError("This round has no such image. Go on with the one on the screen.")
        if any(each.item_id == item_id for each in self.answers):
            return self
        return replace(self, answers=(*self.answers, checked))

    def take_back(self) -> "Round":
        """Return the round without its last answer.

        Raises:
            ConflictError: it is finished: the answers were shown.
        """
        if self.finished and self.items:
            raise ConflictError("Every image has its answer, and what they are was shown. Answers stay as they are.")
        return replace(self, answers=self.answers[:-1])


def check_answer(question: Question, answer: Answer) -> Answer:
    """Return an answer that can be stored.

    Raises:
        InvalidOptionError: the value or the confidence is none of those offered.
    """
    if answer.value not in question.answers:
        raise InvalidOptionError(f"{answer.value!r} is no answer here; possible are {', '.join(question.answers)}.")
    if answer.confidence not in (None, 1, 2, 3):
        raise InvalidOptionError(f"The confidence is 1, 2 or 3, not {answer.confidence}.")
    return replace(answer, seconds=min(max(answer.seconds, 0.0), 86_400.0))


def shuffled(ids: Sequence[str], *, seed: int, reader: str) -> list[str]:
    """Return identifiers in an order that is random, and the same for one reader and seed for ever."""
    return sorted(ids, key=lambda each: hashlib.sha256(f"{seed}/{reader}/{each}".encode()).digest())
