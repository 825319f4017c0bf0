"""Virtual staining of whole images shows no seams."""

import numpy as np
import pytest
from filled_weights import noise, write_weights

from core.errors import CancelledError
from core.inference.engine import Engine
from core.inference.virtual_staining import stain_image


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine with a generator of filled weights."""
    return Engine(write_weights(tmp_path_factory.mktemp("weights"), "pspstain"))


def textured(height: int, width: int) -> np.ndarray:
    """An image with structure in it."""
    return np.kron(noise(height // 8, width // 8, 3), np.ones((8, 8, 1), np.uint8))


def test_one_tile_is_exactly_one_pass(engine: Engine) -> None:
    image = textured(256, 256)
    assert np.array_equal(stain_image(engine, image), engine.stain(image[None])[0])


@pytest.mark.parametrize("size", [(16, 24), (40, 64), (256, 320), (8, 400)])
def test_any_size_comes_back_in_its_size(engine: Engine, size: tuple[int, int]) -> None:
    stained = stain_image(engine, textured(*size))
    assert (stained.shape, stained.dtype) == ((*size, 3), np.uint8)


def test_empty_glass_stays_as_it_is(engine: Engine) -> None:
    blank = np.full((300, 300, 3), 243, np.uint8)
    assert np.array_equal(stain_image(engine, blank), blank)


def test_progress_counts_the_tiles(engine: Engine) -> None:
    seen: list[tuple[str, int, int]] = []
    stain_image(engine, np.full((256, 1024, 3), 243, np.uint8), lambda *report: seen.append(report))
    assert seen == [("staining virtually", done, 5) for done in (0, 4, 5)]


def test_can_be_cancelled_between_tiles(engine: Engine) -> None:
    def cancel(_step: str, done: int, _total: int) -> None:
        if done:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        stain_image(engine, np.full((256, 1024, 3), 243, np.uint8), cancel)
