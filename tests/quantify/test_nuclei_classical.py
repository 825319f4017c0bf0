"""Blobs of DAB and of hematoxylin become seeds, each nucleus one."""

import cv2
import numpy as np
import pytest

from core.quantify.nuclei_classical import find_seeds, stands_out


def blob(centre: tuple[int, int], amount: float) -> np.ndarray:
    density = np.zeros((100, 100), np.float32)
    cv2.circle(density, centre, 8, amount, -1)
    return cv2.GaussianBlur(density, (0, 0), 1.0)


def test_brown_is_positive_blue_is_negative_and_both_at_once_is_one_nucleus() -> None:
    dab = blob((30, 30), 0.8)
    hematoxylin = blob((30, 30), 0.3) + blob((70, 70), 0.4)
    seeds = find_seeds(hematoxylin, dab)
    assert seeds.positive.tolist() == [True, False]
    assert seeds.centres == pytest.approx(np.array([(30, 30), (70, 70)]), abs=2)
    assert seeds.inside is None


def test_clearer_nuclei_are_more_certain() -> None:
    pale, dark = (find_seeds(np.zeros((100, 100), np.float32), blob((50, 50), od)).confidence for od in (0.4, 1.2))
    assert 0.5 <= float(pale[0]) < float(dark[0]) < 1


def test_glass_has_no_seeds() -> None:
    nothing = np.zeros((100, 100), np.float32)
    assert len(find_seeds(nothing, nothing).centres) == 0


@pytest.mark.parametrize(("haze", "stained"), [(0.0, True), (0.2, False)])
def test_a_pale_nucleus_is_stained_only_if_it_stands_out_of_the_haze(haze: float, stained: bool) -> None:
    dab = np.maximum(blob((50, 50), 0.3), np.float32(haze))
    turns = np.arange(16) * np.pi / 8
    corners = (50 + 7 * np.stack([np.cos(turns), np.sin(turns)], axis=1)).astype(np.float32)
    centre, mean = np.array([[50, 50]], np.float32), np.array([0.3], np.float32)
    assert stands_out(dab, centre, corners[None], mean).tolist() == [stained]
