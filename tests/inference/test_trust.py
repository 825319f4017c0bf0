"""The trust map shows where the stain depends on how the tissue lay."""

import numpy as np
import pytest
from filled_weights import noise, write_weights

from core.errors import CancelledError
from core.inference.engine import Engine
from core.inference.trust import disagreement
from core.inference.virtual_staining import stain_image


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine with a generator of filled weights, which is not the same mirrored."""
    return Engine(write_weights(tmp_path_factory.mktemp("weights"), "pspstain"))


def test_is_a_map_of_blocks_in_fixed_units(engine: Engine) -> None:
    image = np.kron(noise(12, 10, 3), np.ones((8, 8, 1), np.uint8))
    found = disagreement(engine, image, stain_image(engine, image))
    assert (found.map.shape, found.map.dtype) == ((24, 20), np.float32)
    assert 0 <= found.map.min() <= found.mean <= found.map.max() <= 1
    assert found.map.max() > 0 and 0 <= found.doubtful <= 1


def test_empty_glass_is_not_doubted(engine: Engine) -> None:
    blank = np.full((300, 280, 3), 243, np.uint8)
    found = disagreement(engine, blank, blank)
    assert (found.mean, found.doubtful) == (0.0, 0.0)


def test_progress_runs_over_all_views_and_can_stop(engine: Engine) -> None:
    blank = np.full((256, 256, 3), 243, np.uint8)
    seen: list[float] = []

    def note(_step: str, done: int, total: int) -> None:
        seen.append(done / total)
        if done / total > 0.6:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        disagreement(engine, blank, blank, note)
    assert seen == sorted(seen)
