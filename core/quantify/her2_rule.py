"""HER2 score from measured membrane stain alone: ordinal regression, with two certain ends."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.labels import Her2Score
from core.quantify.membrane_features import FEATURES, upper_tiles

UNSTAINED_BROWN_OD = 0.045
"""Brown below this, in the brownest tenth of the tiles, is no staining (unstained cores: up to 0.03; 1+: from 0.06)."""

INTENSE_RIDGE_SHARE = 0.01
"""Share of tissue on intense membranes, in a tenth of the tiles, from which the section is 3+.

Complete membranes cover about a fifth of a cell at 0.5 um per pixel, so 10 % of the cells cover 2 %; blur brings up to
half of that below the limit (measured: 3+ from 0.03, strongest 2+ 0.002).
"""

HOLLOW_SHARE, PALE_BROWN_OD = 0.2, 0.15
"""Three quarters of the tiles hollow to this share, with no more brown than this: fat (whole cores: up to 0.08)."""

PREDICTORS = ("brown_p98", "ridge_p98")
LOG_OFFSET_OD = 0.02
"""Added before the logarithm, so that noise around zero does not count."""

SCORES = tuple(Her2Score)


@dataclass(frozen=True)
class MeasuredScore:
    """What the measurements say.

    Attributes:
        probabilities: (4,) of 0, 1+, 2+, 3+; None where no fitted regression is at hand.
        certain: "0" or "3+" where the section is unstained or intensely stained; None in between.
        label: the most probable score; None where neither is known.
        text: the rule in words, with the numbers measured.
    """

    probabilities: npt.NDArray[np.float64] | None
    certain: Her2Score | None
    label: Her2Score | None
    text: str


def lacks_tumour(features: npt.NDArray[np.float32]) -> str | None:
    """Say why an image holds no tumour that could carry a score: fat or empty space, hardly stained; None if it may.

    Conservative: a stained or mostly solid section is always scored.

    Args:
        features: (N, 9) of its tissue tiles, N at least 1.
    """
    hollow = float(np.percentile(features[:, FEATURES.index("hollow")], 25))
    brown = upper_tiles(features[:, FEATURES.index("brown_p98")])
    if hollow < HOLLOW_SHARE or brown >= PALE_BROWN_OD:
        return None
    return (
        f"Three quarters of the tiles are fat or empty space to {hollow:.0%} or more, and hardly stained: "
        "there is no tumour tissue to score. Choose a field with tumour."
    )


def predictors(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the (2,) regressors of one image from the (N, 9) features of its tiles, N at least 1."""
    columns = [features[:, FEATURES.index(name)] for name in PREDICTORS]
    return np.log([upper_tiles(column) + LOG_OFFSET_OD for column in columns])


def measured_her2(features: npt.NDArray[np.float32], calibration: Mapping[str, float]) -> MeasuredScore:
    """Score one image from the measured features of its tissue tiles.

    Args:
        features: (N, 9) as from `core.quantify.membrane_features.features_array`, N at least 1.
        calibration: `ordinal_brown_p98`, `ordinal_ridge_p98` (both at least 0) and `ordinal_limit_1` to `_3`, rising;
            without them only the two certain ends are known.
    """
    brown = upper_tiles(features[:, FEATURES.index("brown_p98")])
    intense = upper_tiles(features[:, FEATURES.index("intense_ridge")])
    probabilities = ordinal_probabilities(predictors(features), calibration)
    if intense >= INTENSE_RIDGE_SHARE:
        text = f"{intense:.1%} of the tissue lies on intense membranes; from {INTENSE_RIDGE_SHARE:.0%} on it is 3+."
        return MeasuredScore(probabilities, Her2Score.THREE, Her2Score.THREE, text)
    if brown < UNSTAINED_BROWN_OD:
        text = f"The brownest tissue has density {brown:.2f}; below {UNSTAINED_BROWN_OD:.3f} it is unstained, 0."
        return MeasuredScore(probabilities, Her2Score.ZERO, Her2Score.ZERO, text)
    if probabilities is None:
        return MeasuredScore(None, None, None, "Stained, but not intensely: the measurements alone give no score.")
    label = SCORES[int(probabilities.argmax())]
    brown, ridge = np.exp(predictors(features)) - LOG_OFFSET_OD
    text = f"Ordinal regression on the brown density ({brown:.2f}) and membrane ridges ({ridge:.2f}) of the tiles."
    return MeasuredScore(probabilities, None, label, text)


def ordinal_probabilities(
    values: npt.NDArray[np.float64], calibration: Mapping[str, float]
) -> npt.NDArray[np.float64] | None:
    """Return (4,) probabilities of a cumulative logit model, or None where it has not been fitted."""
    names = [f"ordinal_{name}" for name in PREDICTORS] + [f"ordinal_limit_{rank}" for rank in (1, 2, 3)]
    if any(name not in calibration for name in names):
        return None
    numbers = np.array([calibration[name] for name in names])
    at_least = 1.0 / (1.0 + np.exp(-(values @ numbers[:2] - numbers[2:])))
    return np.asarray(-np.diff(np.concatenate([[1.0], at_least, [0.0]])))
