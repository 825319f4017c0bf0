"""Membrane stain of tiles, measured on simulated and real tissue."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.labels import Her2Score
from core.phantoms.phantom import her2_phantom, nuclear_phantom
from core.quantify.her2_rule import measured_her2
from core.quantify.membrane_features import FEATURES, features_array, membrane_energy, tile_features
from core.slides.tiling import plan_tiles
from core.stains.separation import white_point


@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_ridges_grow_with_the_score_at_either_scale(mpp: float) -> None:
    images = [her2_phantom(21, size_px=512, mpp=mpp, score=score, blush=0.0).image for score in Her2Score]
    ridges = [tile_features(image, white_point(image), mpp).ridge_p98 for image in images]
    assert ridges == sorted(ridges)
    assert ridges[3] > 5 * ridges[0]


def test_nuclear_brown_is_no_membrane() -> None:
    nuclear = nuclear_phantom(5, percent_positive=80, size_px=512).image
    membrane = her2_phantom(5, size_px=512, score=Her2Score.THREE).image
    assert tile_features(nuclear, white_point(nuclear), 0.25).intense_ridge < 0.01
    assert tile_features(membrane, white_point(membrane), 0.25).intense_ridge > 0.02


def test_empty_tile_measures_zero() -> None:
    blank = np.full((512, 512, 3), 240, np.uint8)
    row = features_array(blank, plan_tiles((512, 512), mpp=0.25, tile_um=128), white_point(blank), None)
    assert row.shape == (1, len(FEATURES))
    assert not row.any()
    assert membrane_energy(row[:0]) == 0.0


@pytest.mark.parametrize(
    ("path", "certain"),
    [("0/9b0f64d1", "0"), ("0/ccb66c10", "0"), ("1+/f8a2cea0", None), ("2+/0123a214", None), ("3+/a1f1510c", "3+")],
)
def test_real_cores_meet_the_certain_ends(shared_data: Path, path: str, certain: str | None) -> None:
    image = cv2.cvtColor(cv2.imread(str(shared_data / "her2_cores" / f"{path}.jpg")), cv2.COLOR_BGR2RGB)
    boxes = plan_tiles((image.shape[1], image.shape[0]), mpp=0.25, tile_um=128)
    features = features_array(image, boxes, white_point(image), 0.25)
    assert measured_her2(features[features[:, 0] >= 0.05], {}).certain == certain
