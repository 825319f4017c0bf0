"""A stored forest answers exactly as the trained one, and a wrong file is refused in words."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from core.errors import WeightsError
from core.stains.forest import load_forest, save_forest
from core.stains.train_recognition import arrays_of


def test_answers_as_scikit_learn_does_after_a_round_trip(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(300, 6)).astype(np.float32)
    labels = (features[:, 0] > 0).astype(int) + (features[:, 1] > 0.5)
    model = ExtraTreesClassifier(20, min_samples_leaf=3, random_state=0).fit(features, labels)
    save_forest(arrays_of(model), tmp_path / "forest.safetensors", note="test")
    forest = load_forest(tmp_path / "forest.safetensors", inputs=6)
    ours = np.array([forest.probabilities(row) for row in features])
    assert np.allclose(ours, model.predict_proba(features), atol=1e-5)


def test_a_forest_for_other_features_is_refused(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=(50, 6))
    model = ExtraTreesClassifier(2, random_state=0).fit(features, np.arange(50) % 3)
    save_forest(arrays_of(model), tmp_path / "forest.safetensors", note="test")
    with pytest.raises(WeightsError, match="made for 6 features, this version measures 9"):
        load_forest(tmp_path / "forest.safetensors", inputs=9)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"forest\.safetensors is missing"):
        load_forest(tmp_path / "forest.safetensors", inputs=6)
    (tmp_path / "forest.safetensors").write_bytes(b"not a forest at all")
    with pytest.raises(WeightsError, match="damaged"):
        load_forest(tmp_path / "forest.safetensors", inputs=6)
