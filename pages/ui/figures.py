"""What was measured on the nuclei as lines of text: the figure with its interval, and what it reads as."""

from collections.abc import Sequence
from enum import StrEnum

from core.reports.content import percent
from core.types import GuidelineReading, Interval, MembraneScores, NuclearScores

Rows = list[tuple[str, str]]
Scores = NuclearScores | MembraneScores


class ReadAs(StrEnum):
    """Which figures of a nuclear stain are shown, and in whose words."""

    PR = "PR"
    ER = "ER"
    KI67 = "Ki-67"


def share(value: float) -> str:
    """Percent with two significant figures ("34 %", "0.42 %"), given 0-100."""
    return percent(value / 100)


def with_interval(interval: Interval, *, unit: str = " %") -> str:
    """ "34 % [28, 41]": the figure and its 95 % interval; without the interval where there is one field only."""
    value = share(interval.value) if unit else f"{interval.value:.0f}"
    if interval.low == interval.high:
        return value
    low, high = ((share(end).removesuffix(" %") if unit else f"{end:.0f}") for end in (interval.low, interval.high))
    return f"{value} [{low}, {high}]"


def headline(scores: Scores, read_as: ReadAs) -> str:
    """The one figure that is looked for first."""
    if isinstance(scores, MembraneScores):
        return "insufficient tumour tissue" if scores.insufficient else reading_title(scores.reading)
    if not scores.counted:
        return "no nuclei"
    figure = with_interval(scores.percent_positive)
    return f"Ki-67 index {figure}" if read_as is ReadAs.KI67 else f"{figure} positive"


def rows(scores: Scores, read_as: ReadAs) -> Rows:
    """All figures, in the order in which they are read."""
    return _membrane_rows(scores) if isinstance(scores, MembraneScores) else _nuclear_rows(scores, read_as)


def remarks(scores: Scores, read_as: ReadAs) -> Sequence[str]:
    """Why a second person should read it, or why it cannot be read."""
    reasons = [scores.insufficient] if isinstance(scores, MembraneScores) and scores.insufficient else []
    for reason in scores.second_read:
        # The cut-offs of receptors say nothing about a proliferation index.
        if not (read_as is ReadAs.KI67 and isinstance(scores, NuclearScores) and "crosses" in reason):
            reasons.append(reason)
    return reasons


def reading_title(reading: GuidelineReading | None) -> str:
    """The score that the guideline gives, or that it gives none."""
    if reading is None:
        return "no reading"
    return reading.score.value if reading.score is not None else "not defined by the guideline"


def distances(reading: GuidelineReading) -> Rows:
    """How far each share is from its cut-off, in points of percent."""
    return [(cut, f"{distance:+.1f} points") for cut, distance in reading.distances.items()]


def _nuclear_rows(scores: NuclearScores, read_as: ReadAs) -> Rows:
    strength = " · ".join(share(each) for each in (scores.weak, scores.moderate, scores.strong))
    counted = ("Nuclei counted", _counted(scores.counted, scores.left_out))
    if not scores.counted:
        return [counted]
    if read_as is ReadAs.KI67:
        spot = scores.hot_spot
        hot = f"{share(spot.percent)} of {spot.counted}" if spot else "too few nuclei"
        return [
            ("Ki-67 index", with_interval(scores.percent_positive)),
            ("Hot spot", hot),
            ("Weak · moderate · strong", strength),
            counted,
        ]
    category = scores.er if read_as is ReadAs.ER else scores.pgr
    return [
        ("Positive nuclei", with_interval(scores.percent_positive)),
        ("H-score", with_interval(scores.h_score, unit="")),
        ("Allred", f"{scores.allred} ({scores.allred_proportion} + {scores.allred_intensity})"),
        (f"{'ER' if read_as is ReadAs.ER else 'PgR'} by guideline", category),
        ("Weak · moderate · strong", strength),
        counted,
    ]


def _membrane_rows(scores: MembraneScores) -> Rows:
    return [
        ("Intense, complete", with_interval(scores.intense_complete)),
        ("Weak to moderate, complete", with_interval(scores.moderate_complete)),
        ("Faint, incomplete", with_interval(scores.faint_incomplete)),
        ("None", with_interval(scores.none)),
        ("Cells counted", _counted(scores.cells, scores.left_out)),
    ]


def _counted(count: int, left_out: int) -> str:
    return f"{count:,}" + (f" ({left_out:,} left out)" if left_out else "")
