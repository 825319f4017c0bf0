"""Pseudo-colours keep one fixed scale, whatever the image holds."""

import numpy as np
import pytest

from core.errors import InvalidOptionError
from core.explain.pseudocolor import COLORMAPS, DENSITY_MAX, colorbar, colour_table, render_density


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_ends_of_the_scale_have_the_end_colours(colormap: str) -> None:
    dab = np.array([[0.0, DENSITY_MAX, 9.0, np.nan]], np.float32)
    picture = render_density(dab, colormap)
    table = colour_table(colormap)
    assert picture.dtype == np.uint8 and picture.shape == (1, 4, 3)
    assert np.array_equal(picture[0], table[[0, 255, 255, 0]])


def test_equal_densities_look_equal_in_different_images() -> None:
    faint = render_density(np.full((2, 2), 0.3, np.float32))
    mixed = render_density(np.array([[0.3, 1.4]], np.float32))
    assert np.array_equal(faint[0, 0], mixed[0, 0])


def test_refuses_unknown_colormaps_and_empty_scales() -> None:
    with pytest.raises(InvalidOptionError, match="viridis"):
        render_density(np.zeros((2, 2), np.float32), "rainbow")
    with pytest.raises(InvalidOptionError, match="above 0"):
        render_density(np.zeros((2, 2), np.float32), vmax=0)


def test_the_colour_bar_runs_through_the_whole_colormap() -> None:
    bar = colorbar("cividis", 0, 1.5, "DAB optical density", width=400)
    assert bar.shape == (64, 400, 3)
    ramp = bar[30, 16:-16]
    assert np.array_equal(ramp[0], colour_table("cividis")[0])
    assert np.array_equal(ramp[-1], colour_table("cividis")[255])
