"""From HER2 tiles to one score: sane ends, a stated rule, prediction sets."""

import numpy as np
import pytest

from core.inference.aggregation import aggregate_her2, pool_tiles, prediction_set
from core.inference.calibration import numbers_of
from core.labels import INSUFFICIENT, Her2Score
from core.phantoms.phantom import her2_phantom
from core.phantoms.tissue import TissueConfig
from core.quantify.membrane_features import FEATURES, features_array
from core.slides.tiling import plan_tiles
from core.stains.separation import white_point

CALIBRATION = {
    "network_weight": 0.4,
    "ordinal_brown_p98": 2.3,
    "ordinal_ridge_p98": 0.8,
    "ordinal_limit_1": -8.8,
    "ordinal_limit_2": -5.8,
    "ordinal_limit_3": -2.9,
    "conformal_threshold": 0.75,
}


def features_of(score: Her2Score, mpp: float = 0.25) -> np.ndarray:
    image = her2_phantom(12, size_px=512, mpp=mpp, score=score, blush=0.0).image
    boxes = plan_tiles((512, 512), mpp=mpp, tile_um=128)
    return features_array(image, boxes, white_point(image), mpp)


def even(count: int) -> np.ndarray:
    return np.full((count, 4), 0.25, np.float32)


@pytest.mark.parametrize("calibration", [CALIBRATION, {}], ids=["calibrated", "foreign weights"])
@pytest.mark.parametrize("score", [Her2Score.ZERO, Her2Score.THREE])
@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_certain_ends_hold_whatever_the_network_says(score: Her2Score, mpp: float, calibration: dict) -> None:
    features = features_of(score, mpp)
    wrong = np.tile(np.float32([0.05, 0.9, 0.05, 0.0]), (len(features), 1))
    answer = aggregate_her2(wrong, features, np.ones(len(features)), calibration)
    assert answer.outcome == score.value
    assert answer.rule_label == score.value
    assert "settle" in answer.rule


def test_more_stain_never_lowers_the_expected_score() -> None:
    expected = []
    for score in Her2Score:
        features = features_of(score)
        answer = aggregate_her2(even(len(features)), features, np.ones(len(features)), CALIBRATION)
        expected.append(float(np.dot(answer.probabilities, range(4))))
    assert expected == sorted(expected)


def test_the_highest_tenth_of_the_tiles_decides() -> None:
    probs = np.tile(np.float32([1, 0, 0, 0]), (20, 1))
    probs[3] = probs[7] = [0, 0, 0, 1]
    assert pool_tiles(probs, np.ones(20)) == pytest.approx([0, 0, 0, 1])


def test_nothing_to_score_is_said() -> None:
    answer = aggregate_her2(even(0), np.zeros((0, len(FEATURES)), np.float32), np.zeros(0), CALIBRATION)
    assert answer.outcome == INSUFFICIENT
    assert answer.probabilities == ()
    assert answer.prediction_set == ()


def test_unstained_fat_is_not_scored_but_stained_tumour_in_fat_is() -> None:
    fat = TissueConfig(tumour=0.0, fat=0.8)
    image = her2_phantom(3, size_px=1024, mpp=0.5, tissue=fat).image
    features = features_array(image, plan_tiles((1024, 1024), mpp=0.5, tile_um=128), white_point(image), 0.5)
    answer = aggregate_her2(even(len(features)), features, np.ones(len(features)), CALIBRATION)
    assert answer.outcome == INSUFFICIENT
    assert "no tumour tissue" in answer.rule
    features[:3, FEATURES.index("brown_p98")] = 0.5
    assert aggregate_her2(even(len(features)), features, np.ones(len(features)), {}).outcome != INSUFFICIENT


def test_prediction_set_is_never_empty_and_best_first() -> None:
    probabilities = np.array([0.05, 0.3, 0.45, 0.2])
    assert prediction_set(probabilities, {"conformal_threshold": 0.1}) == ("2+",)
    assert prediction_set(probabilities, {"conformal_threshold": 0.75}) == ("2+", "1+")
    assert prediction_set(probabilities, {}) == ("2+", "1+", "3+")


def test_each_score_has_its_own_threshold() -> None:
    probabilities = np.array([0.05, 0.3, 0.45, 0.2])
    own = numbers_of({"calibration": {"conformal_thresholds": {"0": 1.0, "1+": 0.5, "2+": 0.9}}}, "calibration")
    assert prediction_set(probabilities, own) == ("2+", "3+", "0")  # 3+ has none: it is never excluded


def test_rule_names_both_sources_and_their_weights() -> None:
    features = features_of(Her2Score.TWO)
    answer = aggregate_her2(even(len(features)), features, np.ones(len(features)), CALIBRATION)
    assert "network" in answer.rule
    assert "weight 40%" in answer.rule
    assert "measured membrane stain" in answer.rule
