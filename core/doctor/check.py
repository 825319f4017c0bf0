"""The result of checking one part of an installation."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import AppError


class State(StrEnum):
    """How a part of the installation does."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Check:
    """One part of the installation.

    Attributes:
        found: what is there, in one line.
        advice: what to do; empty where nothing is to be done.
    """

    name: str
    state: State
    found: str
    advice: str = ""


def in_words(name: str, check: Callable[[], Check], *, advice: str) -> Check:
    """Run a check and turn an expected error into its result."""
    try:
        return check()
    except AppError as error:
        return Check(name, State.BROKEN, str(error), advice)
