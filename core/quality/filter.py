"""Which synthetic or virtual images are fit to be kept: measured once, judged by thresholds, every rejection explained.

The published pipeline asks for sharpness, brightness, contrast, a confident classifier, and that it names the class the
image was made as. No network runs here: its probabilities are given.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from core.errors import InvalidOptionError
from core.quality.filter_measures import Measures, Near, Opinion, Probs, measure_images
from core.types import Progress, RGBImage, no_progress

__all__ = [
    "FilterSettings",
    "Measures",
    "Near",
    "Opinion",
    "Reason",
    "Rejection",
    "Tally",
    "Verdict",
    "judge",
    "judge_images",
    "measure_images",
    "tally",
]

SHARPNESS = 8.0
"""Variance of the Laplacian of gray, over the whole image, below which it is blurred.

Measured on 2,177 tiles of 128 px of real IHC with tissue (BCI, MIST, BCData, SHIDC at 0.25 um/px, DeepLIIF): the least
sharp has 8.8, 1 in 100 less than 10.9; fields of 256 to 1024 px lie higher (least 9.7, 10.7 and 12.2). Blurred by a
Gaussian of 3 px 97 % of the same tiles fall below 8, of 4 px 99 %. Bundled synthetic PR tiles: 42 to 518.
"""

DARKEST, BRIGHTEST = 60.0, 248.0
"""Mean gray levels that an image lies between. Real IHC and H&E with tissue, 128 to 1024 px: 66 to 245."""

CONTRAST = 3.0
"""Standard deviation of gray below which there is nothing to see: 3.2 at 1 in 100 of the faintest set (BCI), 8.2 at
the least elsewhere; 1 in 200 BCI tiles of 128 px fails."""

CONFIDENCE = 0.55
"""Probability of the class that the classifier names, as published."""

FARTHEST = 2.0
"""Where the guard is on: distance to the nearest real image, in medians of that between real ones."""

PUBLISHED_ACCEPTED = 0.146
"""Share that the published run accepted: for scale, nothing that is aimed at."""

DIGITS = 6


class Reason(StrEnum):
    """Why an image is rejected, in the order of the checks."""

    BLURRED = "blurred"
    DARK = "too dark"
    BRIGHT = "too bright"
    LOW_CONTRAST = "low contrast"
    UNSURE = "classifier unsure"
    OTHER_CLASS = "other class"
    SECOND_MODEL = "second model disagrees"
    UNLIKE_REAL = "unlike real images"
    COPY = "copy of a real image"


@dataclass(frozen=True, kw_only=True)
class FilterSettings:
    """Every threshold; None switches a check off. The last three guards are off at first.

    Attributes:
        sharpness: least variance of the Laplacian.
        darkest, brightest: mean gray levels allowed, in [0, 255].
        contrast: least standard deviation of gray.
        confidence: least probability of the class that is named, in [0, 1].
        same_class: the class named has to be the one the image was made as.
        second_model: another model or fold has to agree too, with the same confidence: so that the filter is not the
            model that is then retrained.
        farthest: largest distance to the nearest real image, in medians of that between real ones.
        no_copies: images nearer to a training image than real ones are to each other are left out.
    """

    sharpness: float | None = SHARPNESS
    darkest: float | None = DARKEST
    brightest: float | None = BRIGHTEST
    contrast: float | None = CONTRAST
    confidence: float | None = CONFIDENCE
    same_class: bool = True
    second_model: bool = False
    farthest: float | None = None
    no_copies: bool = False

    def __post_init__(self) -> None:
        """Refuse what no image could be judged by.

        Raises:
            InvalidOptionError: a threshold is out of its range.
        """
        ranges = {"darkest": 255.0, "brightest": 255.0, "confidence": 1.0}
        for name in ("sharpness", "darkest", "brightest", "contrast", "confidence", "farthest"):
            value, most = getattr(self, name), ranges.get(name)
            if value is None or (isfinite(value) and 0 <= value <= (value if most is None else most)):
                continue
            allowed = "0 or more" if most is None else f"between 0 and {most:g}"
            raise InvalidOptionError(f"The threshold {name} is {value:g}; it must be {allowed}.")
        if self.darkest is not None and self.brightest is not None and self.darkest >= self.brightest:
            raise InvalidOptionError(
                f"No image is both lighter than {self.darkest:g} and darker than {self.brightest:g}. "
                "Set the darkest gray level below the brightest."
            )


@dataclass(frozen=True)
class Rejection:
    """One check that an image failed.

    Attributes:
        value: what was measured; limit: what is asked, None where a class is asked.
        sentence: both in words.
    """

    reason: Reason
    value: float
    limit: float | None
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """Whether an image is kept, and every reason why not, in the order of the checks."""

    accepted: bool
    reasons: tuple[Rejection, ...]
    measures: Measures

    @property
    def words(self) -> str:
        """All reasons as one text; empty for accepted images."""
        return " ".join(rejection.sentence for rejection in self.reasons)


@dataclass(frozen=True)
class Tally:
    """How many images were kept, and what the others failed.

    Attributes:
        first: images by the first check they failed; with the accepted they make the total.
        every: images by each check they failed; one image may count several times.
    """

    total: int
    accepted: int
    first: dict[Reason, int]
    every: dict[Reason, int]

    @property
    def share(self) -> float:
        """Accepted images, in [0, 1]; 0 of none."""
        return self.accepted / self.total if self.total else 0.0


def judge_images(
    images: RGBImage | Sequence[RGBImage],
    *,
    labels: Sequence[str],
    probs: Probs | None = None,
    classes: Sequence[str] = (),
    settings: FilterSettings | None = None,
    second: Probs | None = None,
    nearest: Sequence[Near] | None = None,
    progress: Progress = no_progress,
) -> tuple[Verdict, ...]:
    """Measure images and judge them; as `measure_images`, then `judge`."""
    measured = measure_images(
        images, labels=labels, probs=probs, classes=classes, second=second, nearest=nearest, progress=progress
    )
    settings = settings or FilterSettings()
    return tuple(judge(each, settings) for each in measured)


def judge(measures: Measures, settings: FilterSettings) -> Verdict:
    """Judge one image by its measures; a check for which nothing was measured is left out."""
    found = tuple(rejection for rejection in _checks(measures, settings) if rejection is not None)
    return Verdict(not found, found, measures)


def tally(verdicts: Iterable[Verdict]) -> Tally:
    """Count the accepted images and the reasons of the others, once by the first and once by every check failed."""
    first: Counter[Reason] = Counter()
    every: Counter[Reason] = Counter()
    total = accepted = 0
    for verdict in verdicts:
        total += 1
        accepted += verdict.accepted
        reasons = [rejection.reason for rejection in verdict.reasons]
        first.update(reasons[:1])
        every.update(dict.fromkeys(reasons, 1))
    return Tally(total, accepted, {each: first[each] for each in Reason}, {each: every[each] for each in Reason})


def _checks(measures: Measures, settings: FilterSettings) -> Iterable[Rejection | None]:
    yield _least(Reason.BLURRED, "Blurred: sharpness {}, at least {} is asked.", measures.sharpness, settings.sharpness)
    yield _least(
        Reason.DARK, "Too dark: mean gray level {}, at least {} is asked.", measures.brightness, settings.darkest
    )
    yield _most(
        Reason.BRIGHT, "Too bright: mean gray level {}, at most {} is asked.", measures.brightness, settings.brightest
    )
    yield _least(
        Reason.LOW_CONTRAST, "Low contrast: {} gray levels, at least {} is asked.", measures.contrast, settings.contrast
    )
    yield from _class_checks(measures, settings)
    if measures.distance is not None:
        words = "Unlike real images: {} times as far from the nearest as those from each other, at most {} is asked."
        yield _most(Reason.UNLIKE_REAL, words, measures.distance, settings.farthest)
    if settings.no_copies and measures.copy:
        distance = measures.distance or 0.0
        sentence = f"Copy: {distance:.2g} times as far from a training image as real images from each other."
        yield Rejection(Reason.COPY, distance, None, sentence)


def _class_checks(measures: Measures, settings: FilterSettings) -> Iterable[Rejection | None]:
    if measures.opinion is not None:
        yield _unsure(Reason.UNSURE, "Unsure", measures.opinion, settings.confidence)
        if settings.same_class:
            yield _other_class(Reason.OTHER_CLASS, "Other class", measures.opinion, measures.label)
    if settings.second_model and measures.second is not None:
        yield _unsure(Reason.SECOND_MODEL, "Second model unsure", measures.second, settings.confidence) or _other_class(
            Reason.SECOND_MODEL, "Second model, other class", measures.second, measures.label
        )


def _unsure(reason: Reason, start: str, opinion: Opinion, limit: float | None) -> Rejection | None:
    if limit is not None and not opinion.label:
        return Rejection(reason, 0.0, limit, f"{start}: the classifier found no tissue to read.")
    return _least(reason, f"{start}: {opinion.label} {{}}, at least {{}} is asked.", opinion.confidence, limit)


def _other_class(reason: Reason, start: str, opinion: Opinion, label: str) -> Rejection | None:
    if not label or not opinion.label or opinion.label == label:
        return None
    sentence = f"{start}: made as {label}, read as {opinion.label} ({opinion.confidence:.2f})."
    return Rejection(reason, opinion.confidence, None, sentence)


def _least(reason: Reason, words: str, value: float, limit: float | None) -> Rejection | None:
    return (
        None
        if limit is None or value >= limit
        else Rejection(reason, value, limit, words.format(*_apart(value, limit)))
    )


def _most(reason: Reason, words: str, value: float, limit: float | None) -> Rejection | None:
    return (
        None
        if limit is None or value <= limit
        else Rejection(reason, value, limit, words.format(*_apart(value, limit)))
    )


def _apart(value: float, limit: float) -> tuple[str, str]:
    """Round to two or three digits, and to more where both would read the same."""
    digits = 3 if value >= 100 else 2
    asked = f"{limit:.{DIGITS}g}"
    while digits < DIGITS and f"{value:.{digits}g}" == asked:
        digits += 1
    return f"{value:.{digits}g}", asked
