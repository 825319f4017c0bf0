"""DAB is measured over tissue, and over nothing else."""

import numpy as np
import pytest

from core.quantify.measurements import measure


def test_counts_stained_tissue_only() -> None:
    dab = np.zeros((100, 100), np.float32)
    dab[:, :50] = 0.8
    tissue = np.zeros((100, 100), np.bool_)
    tissue[:50] = True
    measured = measure(dab, tissue)
    assert measured.tissue_px == 5000
    assert measured.dab_area_percent == pytest.approx(50)
    assert measured.dab_od_mean == pytest.approx(0.4)
    assert measured.dab_od_p90 == pytest.approx(0.8)


def test_takes_a_tissue_mask_of_another_resolution() -> None:
    tissue = np.zeros((10, 10), np.bool_)
    tissue[:5] = True
    assert measure(np.full((100, 100), 0.3, np.float32), tissue).tissue_px == 5000


def test_no_tissue_measures_zero() -> None:
    assert measure(np.ones((20, 20), np.float32), np.zeros((20, 20), np.bool_)).dab_od_mean == 0
