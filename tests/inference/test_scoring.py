"""What is measured can overrule the network at the ends."""

import numpy as np

from core.inference.scoring import without_brown_negative
from core.quantify.membrane_features import FEATURES


def test_a_tile_without_brown_holds_no_stained_nucleus() -> None:
    probs = np.array([[0.1, 0.9], [0.1, 0.9]], np.float32)
    features = np.zeros((2, len(FEATURES)), np.float32)
    features[1, FEATURES.index("brown_p98")] = 0.4
    np.testing.assert_allclose(without_brown_negative(probs, features), [[0.99, 0.01], [0.1, 0.9]])


def test_no_tiles_stay_no_tiles() -> None:
    none = without_brown_negative(np.zeros((0, 2), np.float32), np.zeros((0, len(FEATURES)), np.float32))
    assert none.shape == (0, 2)
