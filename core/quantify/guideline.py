"""The HER2 guideline as code: from shares of tumour cells to a category, with the rule that fired.

Source: Wolff et al. 2018, ASCO/CAP focused update, J Clin Oncol 36:2105, figure 1; affirmed in 2023, J Clin Oncol
41:3867.
"""

from dataclasses import dataclass, fields

from core.errors import InvalidOptionError
from core.labels import Her2Score
from core.types import GuidelineReading

SHARE_LIMIT = 0.10
"""Share of tumour cells that must be exceeded (ASCO/CAP 2018 and 2023)."""

SOURCE = "ASCO/CAP 2018, affirmed 2023 (Wolff et al., J Clin Oncol 36:2105 and 41:3867)"

SUM_TOLERANCE = 1e-6
"""Room for the rounding of shares that sum to one."""


@dataclass(frozen=True)
class Her2Shares:
    """Shares of tumour cells with each membrane pattern, in [0, 1]; the rest shows none.

    Raises:
        InvalidOptionError: a share lies outside [0, 1], or they sum to more than 1.
    """

    intense_complete: float
    moderate_complete: float
    faint_incomplete: float

    def __post_init__(self) -> None:
        """Refuse what cannot be shares of cells."""
        shares = [float(getattr(self, item.name)) for item in fields(self)]
        for share in (*shares, sum(shares)):
            if not 0.0 <= share <= 1.0 + SUM_TOLERANCE:  # refuses NaN too
                raise InvalidOptionError(
                    f"Shares of tumour cells lie between 0 and 100 % and sum to at most 100 %; found {share:.1%}. "
                    "Give each pattern as its share of all tumour cells."
                )


def her2(shares: Her2Shares) -> GuidelineReading:
    """Read HER2 immunohistochemistry from the shares of tumour cells with each membrane pattern.

    The rows of the chart, from the top; the first whose words are met decides:

    - 3+: intense complete in more than 10 %, whatever the other cells show.
    - 2+: weak to moderate complete in more than 10 %; or intense complete in some, but not more than 10 %.
    - 1+: faint incomplete in more than 10 %. A few cells (at most 10 %) with weak to moderate complete staining beside
      them change nothing: the words of this row are met and those of 2+ are not.
    - 0: no staining, or nothing but faint incomplete staining in at most 10 %.

    Weak to moderate complete staining in at most 10 %, with faint incomplete staining in at most 10 % (or none), is in
    no row: 2+ asks for more cells and 0 for none of it. It is not defined, even where both together exceed 10 %.
    """
    intense, moderate, faint = shares.intense_complete, shares.moderate_complete, shares.faint_incomplete
    if intense > SHARE_LIMIT:
        return _reading(shares, Her2Score.THREE, f"complete, intense staining in {_percent(intense)}, more than 10 %")
    if moderate > SHARE_LIMIT:
        text = f"complete, weak to moderate staining in {_percent(moderate)}, more than 10 %"
        return _reading(shares, Her2Score.TWO, text)
    if intense > 0.0:
        text = f"complete, intense staining in {_percent(intense)}, not more than 10 %"
        return _reading(shares, Her2Score.TWO, text)
    if faint > SHARE_LIMIT:
        return _reading(shares, Her2Score.ONE, f"incomplete, faint staining in {_percent(faint)}, more than 10 %")
    if moderate > 0.0:
        text = f"complete, weak to moderate staining in {_percent(moderate)}, not more than 10 %, is in no row"
        return _reading(shares, None, text)
    if faint > 0.0:
        return _reading(shares, Her2Score.ZERO, f"incomplete, faint staining in {_percent(faint)}, not more than 10 %")
    return _reading(shares, Her2Score.ZERO, "no membrane staining")


def her2_score(*, intense_complete: float, moderate_complete: float, faint_incomplete: float) -> Her2Score:
    """Score where an answer is needed for every composition, as for simulated tissue.

    What the guideline does not define is read as 1+ if stained cells of any kind exceed 10 %, otherwise as 0.
    """
    reading = her2(Her2Shares(intense_complete, moderate_complete, faint_incomplete))
    if reading.score is not None:
        return reading.score
    return Her2Score.ONE if moderate_complete + faint_incomplete > SHARE_LIMIT else Her2Score.ZERO


def _reading(shares: Her2Shares, score: Her2Score | None, text: str) -> GuidelineReading:
    """Attach the distances to the cut-offs, the source and the secondary category."""
    limit = 100 * SHARE_LIMIT
    return GuidelineReading(
        score=score,
        rule=f"{score.value if score else 'Not defined'}: {text}.",
        distances={
            "intense complete > 10 %": 100 * shares.intense_complete - limit,
            "intense complete > 0 %": 100 * shares.intense_complete,
            "weak to moderate complete > 10 %": 100 * shares.moderate_complete - limit,
            "weak to moderate complete > 0 %": 100 * shares.moderate_complete,
            "faint incomplete > 10 %": 100 * shares.faint_incomplete - limit,
        },
        source=SOURCE,
        secondary=_secondary(score, shares),
    )


def _secondary(score: Her2Score | None, shares: Her2Shares) -> str:
    """Name the category that treatment asks for below 3+; it is no score of the guideline."""
    if score is Her2Score.TWO:
        return "Secondary: HER2-low if ISH is negative"
    if score is Her2Score.ONE:
        return "Secondary: HER2-low"
    if score is Her2Score.ZERO and shares.faint_incomplete > 0.0:
        return "Secondary: HER2-ultralow"
    return ""


def _percent(share: float) -> str:
    """Write a share so that it never seems to lie on the other side of a cut-off."""
    percent = 100 * share
    for digits in (1, 2, 3):
        text = f"{percent:.{digits}f}"
        if float(text) == percent or float(text) not in (0.0, 100 * SHARE_LIMIT):
            break
    return f"{text} % of the tumour cells"
