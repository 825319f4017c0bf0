"""Calibration from held-out answers."""

import numpy as np
import pytest

from core.training.bundled.calibration import calibrate


def _answers(count: int, *, scale: float, bias: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits of an honest two-class judge, then `scale` times too sure and shifted against class 1."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], count)
    margin = rng.normal(np.where(labels == 1, 1.0, -1.0), 1.0) * 2  # log odds of two unit normals 2 apart
    return np.stack([np.zeros(2 * count), scale * (margin - bias)], axis=1).astype(np.float32), labels


def test_finds_how_much_too_sure_and_how_shifted_a_network_is() -> None:
    fitted = calibrate(*_answers(4000, scale=3.0, bias=0.5))
    assert fitted.temperature == pytest.approx(3.0, rel=0.1)
    assert fitted.bias == pytest.approx(1.5, abs=0.25)


def test_the_threshold_keeps_the_true_class_of_nine_in_ten() -> None:
    logits, labels = _answers(2000, scale=1.0, bias=0.0)
    fitted = calibrate(logits, labels, coverage=0.9)
    kept = 1 - fitted.probabilities(logits)[np.arange(len(labels)), labels] <= fitted.conformal_threshold
    assert min(kept[labels == 0].mean(), kept[labels == 1].mean()) >= 0.9
