"""The nuclei of simulated sections: exactly known places, strengths and scores."""

import numpy as np
import pytest

from core.phantoms.nuclear import MIN_NUCLEUS_UM2
from core.phantoms.phantom import nuclear_phantom
from core.phantoms.tissue import TissueConfig
from core.quantify.scores import ReceptorStatus


@pytest.mark.parametrize("mpp", [0.25, 0.5])
@pytest.mark.parametrize("varied", [False, True])
def test_mean_density_over_each_nucleus_is_truly_of_its_class(mpp: float, varied: bool) -> None:
    phantom = nuclear_phantom(9, percent_positive=80.0, size_px=384, mpp=mpp, varied=varied)
    truth = phantom.truth
    measured = [float(phantom.dab[truth.labels == row + 1].mean()) for row in range(len(truth.centres))]
    assert np.allclose(truth.dab_od, measured, atol=1e-4)
    for strength, (low, high) in enumerate([(0.0, 0.13), (0.25, 0.36), (0.45, 0.56), (0.68, 1.3)]):
        of_class = truth.dab_od[truth.strength == strength]
        assert (of_class >= low).all() and (of_class <= high).all()


def test_every_nucleus_has_its_place_on_the_label_map() -> None:
    phantom = nuclear_phantom(9, percent_positive=50.0, size_px=384)
    truth = phantom.truth
    area = np.bincount(truth.labels.ravel(), minlength=len(truth.centres) + 1)[1:] * phantom.mpp**2
    assert area.min() >= MIN_NUCLEUS_UM2
    x, y = np.round(truth.centres).astype(int).T
    assert np.mean(truth.labels[y, x] == np.arange(1, len(x) + 1)) > 0.98  # not where a cell is bent around its middle
    assert phantom.tumour[truth.labels > 0].all()


@pytest.mark.parametrize(
    ("percent", "proportion", "er", "pgr"),
    [
        (0, 0, ReceptorStatus.NEGATIVE, ReceptorStatus.NEGATIVE),
        (5, 2, ReceptorStatus.LOW_POSITIVE, ReceptorStatus.POSITIVE),
        (50, 4, ReceptorStatus.POSITIVE, ReceptorStatus.POSITIVE),
        (100, 5, ReceptorStatus.POSITIVE, ReceptorStatus.POSITIVE),
    ],
)
def test_scores_follow_from_the_nuclei(percent: int, proportion: int, er: ReceptorStatus, pgr: ReceptorStatus) -> None:
    truth = nuclear_phantom(2, percent_positive=percent, size_px=768).truth
    assert (truth.allred.proportion, truth.er, truth.pgr) == (proportion, er, pgr)
    assert truth.percent_positive == pytest.approx(percent, abs=0.5)
    assert truth.h_score == pytest.approx(100 * truth.strength.mean())


def test_a_field_without_tumour_has_no_nuclei_in_its_truth() -> None:
    truth = nuclear_phantom(2, percent_positive=50, size_px=128, tissue=TissueConfig(tumour=0.0)).truth
    assert (len(truth.centres), truth.percent_positive, truth.h_score, truth.allred.total) == (0, 0.0, 0.0, 0)
