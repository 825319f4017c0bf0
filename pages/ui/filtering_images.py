"""Images with their verdicts, as the panel of the quality filter shows and exports them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.quality import filter as quality
from core.quality.filter import FilterSettings, Verdict


@dataclass(frozen=True)
class JudgedImage:
    """One image with its verdict.

    Attributes:
        name: of its file in an export, saying that it is synthetic or virtual.
        thumbnail: small JPEG or PNG for the galleries.
        png: makes the file for an export, marked in its metadata too.
        verdict: with the measures, which are kept.
    """

    name: str
    thumbnail: bytes
    png: Callable[[], bytes]
    verdict: Verdict


def judged_anew(judged: Sequence[JudgedImage], settings: FilterSettings) -> tuple[JudgedImage, ...]:
    """Judge by the measures that are kept already."""
    return tuple(replace(each, verdict=quality.judge(each.verdict.measures, settings)) for each in judged)
