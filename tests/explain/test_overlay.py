"""Heat maps over an image: fixed scale, untouched where nothing was explained."""

import numpy as np
import pytest

from core.errors import InvalidImageError, InvalidOptionError
from core.explain.overlay import CLASS_COLOURS, blend, draw_tiles
from core.explain.pseudocolor import colour_table
from core.labels import CLASSES, INSUFFICIENT, NOT_SCORED, Marker
from core.types import TileResult

IMAGE = np.full((80, 120, 3), 200, np.uint8)


def tile(x: int, label: str) -> TileResult:
    return TileResult(x=x, y=0, width=200, height=200, label=label, confidence=1, probabilities=(), tissue_fraction=1)


def test_pixels_that_were_not_explained_stay_as_they_are() -> None:
    heatmap = np.full((80, 120), np.nan, np.float32)
    heatmap[:, 60:] = 1
    picture = blend(IMAGE, heatmap, opacity=1, colormap="viridis")
    assert (picture[:, :60] == 200).all()
    assert (picture[:, 60:] == colour_table("viridis")[255]).all()


def test_opacity_runs_from_the_image_to_the_heat_map() -> None:
    heatmap = np.zeros((80, 120), np.float32)
    assert np.array_equal(blend(IMAGE, heatmap, opacity=0), IMAGE)
    half = blend(IMAGE, heatmap, opacity=0.5, colormap="jet")
    assert half[0, 0].tolist() == [100, 100, 164]  # between gray 200 and the blue end (0, 0, 128)


def test_the_scale_is_not_stretched_to_the_map() -> None:
    weak = blend(IMAGE, np.full((80, 120), 0.2, np.float32), opacity=1)
    both = blend(IMAGE, np.tile(np.float32([0.2, 1.0]), (80, 60)), opacity=1)
    assert np.array_equal(weak[0, 0], both[0, 0])


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(InvalidImageError, match="equal sizes"):
        blend(IMAGE, np.zeros((8, 8), np.float32))
    with pytest.raises(InvalidOptionError, match="between 0 and 1"):
        blend(IMAGE, np.zeros((80, 120), np.float32), opacity=1.5)
    with pytest.raises(InvalidOptionError, match="no class of HER2"):
        draw_tiles(IMAGE, [tile(0, "PR+")], Marker.HER2)


def test_tiles_are_drawn_in_the_colour_of_their_class() -> None:
    picture = draw_tiles(IMAGE, [tile(0, "0"), tile(200, "3+")], Marker.HER2, scale=0.25)
    assert picture[49, 40].tolist() == list(CLASS_COLOURS["0"])
    assert picture[49, 90].tolist() == list(CLASS_COLOURS["3+"])
    assert (picture[70, :] == 200).all()
    assert (IMAGE == 200).all()


def test_every_outcome_has_a_colour_of_its_own() -> None:
    for marker in Marker:
        colours = [CLASS_COLOURS[label] for label in CLASSES[marker]]
        assert len(set(colours)) == len(colours)
    assert {INSUFFICIENT, NOT_SCORED} <= set(CLASS_COLOURS)
