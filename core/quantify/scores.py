"""Scores of nuclear stains: Allred, H-score, ER and PgR categories as formulas, and all of them from graded nuclei."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.errors import InvalidOptionError
from core.quantify.bootstrap import fields_of, interval, sums_by_field
from core.quantify.grading import LEFT_OUT, UNCHANGED, grades, measured_grades
from core.quantify.hot_spot import find_hot_spot
from core.types import Adjustments, Interval, NuclearScores, Nuclei

ALLRED_POSITIVE_FROM = 3
"""Smallest Allred total that counts as positive (Harvey et al. 1999)."""

POSITIVE_PERCENT = 1.0
"""Share of stained tumour nuclei from which ER and PgR are positive (ASCO/CAP 2020)."""

LOW_POSITIVE_PERCENT = 10.0
"""Upper end of "ER Low Positive" (ASCO/CAP 2020); the guideline has no such category for PgR."""

MIN_NUCLEI = 20
"""With fewer nuclei a percentage says little."""

_ALLRED_BOUNDS = ((1.0, 1), (11.0, 2), (34.0, 3), (67.0, 4))
"""Percent below which the proportion score is the second number, for percentages above 0."""


class ReceptorStatus(StrEnum):
    """Hormone receptor category by the share of stained tumour nuclei."""

    NEGATIVE = "negative"
    LOW_POSITIVE = "low positive"
    POSITIVE = "positive"


@dataclass(frozen=True)
class Allred:
    """Allred score of one nuclear stain.

    Attributes:
        proportion: 0-5, from the share of stained nuclei.
        intensity: 0-3, the average strength of the stained nuclei.
    """

    proportion: int
    intensity: int

    @property
    def total(self) -> int:
        """Proportion plus intensity: 0 or 2-8."""
        return self.proportion + self.intensity

    @property
    def positive(self) -> bool:
        """Whether the total reads as positive."""
        return self.total >= ALLRED_POSITIVE_FROM


def allred_proportion(percent: float) -> int:
    """Return the Allred proportion score of a percentage of stained nuclei.

    0 % is 0, below 1 % is 1, 1-10 % is 2, 11-33 % is 3, 34-66 % is 4, from 67 % it is 5. Percentages between the
    published whole numbers belong to the lower class (10.5 % is 2).

    Source: Allred et al. 1998, Mod Pathol 11:155; Harvey et al. 1999, J Clin Oncol 17:1474.
    """
    _check_percent(percent)
    if percent <= 0.0:
        return 0
    return next((score for bound, score in _ALLRED_BOUNDS if percent < bound), 5)


def allred(percent: float, intensity: int) -> Allred:
    """Combine the share of stained nuclei in percent with their average intensity, 0 (none) to 3 (strong).

    Without a stained nucleus both parts are 0.
    """
    if intensity not in (0, 1, 2, 3):
        raise InvalidOptionError(f"An Allred intensity is 0, 1, 2 or 3, not {intensity}.")
    proportion = allred_proportion(percent)
    return Allred(proportion, intensity if proportion else 0)


def h_score(*, weak: float, moderate: float, strong: float) -> float:
    """Return the H-score, 0-300, from the percentages of weakly, moderately and strongly stained nuclei.

    Source: McCarty et al. 1985, Arch Pathol Lab Med 109:716.
    """
    for percent in (weak, moderate, strong, weak + moderate + strong):
        _check_percent(percent)
    return 1.0 * weak + 2.0 * moderate + 3.0 * strong


def er_status(percent: float) -> ReceptorStatus:
    """Return the oestrogen receptor category: below 1 % negative, 1-10 % low positive, above 10 % positive.

    Source: Allison et al. 2020 (ASCO/CAP guideline update), J Clin Oncol 38:1346.
    """
    if pgr_status(percent) is ReceptorStatus.POSITIVE and percent <= LOW_POSITIVE_PERCENT:
        return ReceptorStatus.LOW_POSITIVE
    return pgr_status(percent)


def pgr_status(percent: float) -> ReceptorStatus:
    """Return the progesterone receptor category: below 1 % of tumour nuclei negative, otherwise positive.

    Source: Allison et al. 2020 (ASCO/CAP guideline update), J Clin Oncol 38:1346.
    """
    _check_percent(percent)
    return ReceptorStatus.POSITIVE if percent >= POSITIVE_PERCENT else ReceptorStatus.NEGATIVE


def nuclear_scores(nuclei: Nuclei, adjustments: Adjustments = UNCHANGED) -> NuclearScores:
    """Score the nuclei that count: percent positive, H-score, Allred, categories and hot spot, with intervals.

    Looks at the nuclei only, never at the image: quick enough to follow a slider.

    Raises:
        InvalidOptionError: thresholds that do not rise, or a correction of no nucleus.
    """
    graded = grades(nuclei, adjustments)
    counts = graded > LEFT_OUT
    chosen, centres = graded[counts], nuclei.centres[counts]
    weak, moderate, strong = _shares(chosen)
    percent, h = min(weak + moderate + strong, 100.0), h_score(weak=weak, moderate=moderate, strong=strong)
    fields = fields_of(centres, nuclei.mpp)
    all_of = sums_by_field(np.ones(len(chosen)), fields)
    stained = chosen > 0
    positive = interval(100.0 * sums_by_field(stained, fields), all_of, percent)
    parts = allred(percent, int(np.floor(chosen[stained].mean() + 0.5)) if stained.any() else 0)
    return NuclearScores(
        counted=len(chosen),
        left_out=len(graded) - len(chosen),
        percent_positive=positive,
        weak=weak,
        moderate=moderate,
        strong=strong,
        h_score=interval(100.0 * sums_by_field(chosen, fields), all_of, h),
        allred_proportion=parts.proportion,
        allred_intensity=parts.intensity,
        er=er_status(percent).value if len(chosen) else "",
        pgr=pgr_status(percent).value if len(chosen) else "",
        hot_spot=find_hot_spot(centres, stained, nuclei.mpp),
        fields=len(all_of),
        second_read=second_read(positive, len(chosen)),
        corrected=corrected(nuclei, adjustments),
    )


def second_read(percent: Interval, counted: int) -> tuple[str, ...]:
    """Say why a second person should read a share of stained nuclei; nothing where nobody needs to."""
    reasons = []
    if counted < MIN_NUCLEI:
        reasons.append(f"Only {counted} nuclei count; a share needs at least {MIN_NUCLEI}: second read.")
    crossed = []
    if percent.low < POSITIVE_PERCENT <= percent.high:
        crossed.append(POSITIVE_PERCENT)
    if percent.low <= LOW_POSITIVE_PERCENT < percent.high:
        crossed.append(LOW_POSITIVE_PERCENT)
    if crossed:
        cuts = " and ".join(f"{cut:g} %" for cut in crossed)
        reasons.append(f"The interval {percent.low:.1f}-{percent.high:.1f} % crosses {cuts}: second read.")
    return tuple(reasons)


def corrected(nuclei: Nuclei, adjustments: Adjustments) -> int:
    """Count the nuclei whose class by a person differs from that by measurement."""
    if not adjustments.corrections:
        return 0
    measured = measured_grades(nuclei, adjustments.thresholds)
    return sum(int(measured[row]) != grade for row, grade in adjustments.corrections.items())


def _shares(graded: npt.NDArray[np.int8]) -> tuple[float, float, float]:
    """Return the percentages of weak, moderate and strong nuclei among those that count; 0 without any."""
    counts = np.bincount(graded, minlength=4)[1:4]
    weak, moderate, strong = (float(count) for count in 100.0 * counts / max(len(graded), 1))
    return weak, moderate, strong


def _check_percent(percent: float) -> None:
    # A little room above 100 for sums of rounded shares; `not` also refuses NaN.
    if not 0.0 <= percent <= 100.0 + 1e-6:
        raise InvalidOptionError(f"A share of nuclei lies between 0 and 100 percent, not at {percent:g}.")
