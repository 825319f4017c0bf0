"""Outlines over an image."""

import numpy as np
from results_by_hand import RADIUS_PX, hand_made_nuclei

from core.quantify.outline_picture import CLASS_COLOURS, LEFT_OUT_COLOUR, render_outlines
from core.types import Adjustments, Region

WHITE = np.full((320, 320, 3), 255, np.uint8)
SIZE = (640, 640)


def test_every_nucleus_is_outlined_in_the_colour_of_its_class() -> None:
    nuclei = hand_made_nuclei((0, 1, 2, 3), size=SIZE)
    picture = render_outlines(WHITE, nuclei, SIZE)
    assert picture.shape == WHITE.shape
    for (x, y), colour in zip(nuclei.centres, CLASS_COLOURS.values(), strict=True):
        edge = picture[round(y / 2), round((x + RADIUS_PX) / 2)]
        assert np.abs(edge.astype(int) - colour).max() < 80
        assert (picture[round(y / 2), round(x / 2)] == 255).all()  # the inside stays visible
    assert (WHITE == 255).all()


def test_what_does_not_count_is_gray_and_regions_are_drawn() -> None:
    nuclei = hand_made_nuclei((3, 3, 3, 3), size=SIZE)
    left = Region(((20, 20), (300, 20), (300, 620), (20, 620)))
    picture = render_outlines(WHITE, nuclei, SIZE, Adjustments(regions=(left,)))
    x, y = nuclei.centres[1]
    edge = picture[round(y / 2), round((x + RADIUS_PX) / 2)]
    assert np.abs(edge.astype(int) - LEFT_OUT_COLOUR).max() < 80
    assert picture[160, 10].max() < 60


def test_without_nuclei_the_picture_stays_as_it_is() -> None:
    assert (render_outlines(WHITE, hand_made_nuclei([]), SIZE) == WHITE).all()
