"""Heat maps of tiles over the field they came from."""

from pathlib import Path

import numpy as np
import pytest

from core.explain.field import explain_tiles, mark_explained, worth_explaining
from core.inference.engine import Engine
from core.labels import CamMethod
from core.models.registry import get_card
from core.slides.tiling import Box
from core.types import TileResult

ROOT = Path(__file__).resolve().parents[2]
CARD = get_card("simple_cnn")


def tile(positive: float) -> TileResult:
    """A tile whose probability of PR+ is given."""
    return TileResult(0, 0, 128, 128, "PR+", positive, (1 - positive, positive), 1.0)


def test_tiles_that_support_the_class_most_are_explained_first() -> None:
    assert worth_explaining([tile(0.2), tile(0.9), tile(0.5)], CARD, "PR+") == (1, 2, 0)


def test_only_the_explained_tiles_are_marked() -> None:
    marked = mark_explained([tile(0.2), tile(0.9)], [1])
    assert [each.explained for each in marked] == [False, True]


@pytest.fixture(scope="module")
def maps() -> dict[str, np.ndarray]:
    """Two tiles with the same content, of which the second supports the class half as much; a third is left out."""
    inputs = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8).repeat(2, axis=0)
    return explain_tiles(
        Engine(ROOT / "weights"),
        CARD,
        inputs,
        [Box(0, 0, 128, 128), Box(128, 0, 128, 128)],
        [0.8, 0.4],
        size=(384, 128),
        target="PR+",
        layers=("conv1", "conv2"),
        method=CamMethod.GRAD_CAM,
    )


def test_the_strongest_tile_reaches_one_and_the_others_their_share(maps: dict[str, np.ndarray]) -> None:
    for field in maps.values():
        assert field[:, :128].max() == pytest.approx(1, abs=1e-5)
        assert field[:, 128:256].max() == pytest.approx(0.5, abs=1e-5)


def test_nothing_is_claimed_where_no_tile_was_explained(maps: dict[str, np.ndarray]) -> None:
    for field in maps.values():
        assert field.shape == (128, 384)
        assert np.isnan(field[:, 256:]).all()
