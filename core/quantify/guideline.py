"""Scoring guidelines as code: from shares of tumour cells to a category."""

from core.labels import Her2Score

SHARE_LIMIT = 0.10
"""Share of tumour cells that must be exceeded (ASCO/CAP 2018 and 2023)."""


def her2_score(*, intense_complete: float, moderate_complete: float, faint_incomplete: float) -> Her2Score:
    """Score HER2 immunohistochemistry from the shares of tumour cells in [0, 1] with each membrane pattern.

    Weak but complete staining in at most 10 % of the cells is not defined there; it is read as 1+ together with the
    faint cells when both exceed 10 %, otherwise as 0.

    Source: ASCO/CAP guideline update 2018 (affirmed 2023), HER2 testing in breast cancer.
    """
    if intense_complete > SHARE_LIMIT:
        return Her2Score.THREE
    if intense_complete > 0.0 or moderate_complete > SHARE_LIMIT:
        return Her2Score.TWO
    if moderate_complete + faint_incomplete > SHARE_LIMIT:
        return Her2Score.ONE
    return Her2Score.ZERO
