"""Simulated tissue: repeatable, of exact content, physically consistent."""

import numpy as np
import pytest

from core.labels import Her2Score
from core.phantoms.phantom import he_phantom, her2_phantom, nuclear_phantom
from core.phantoms.tissue import TissueConfig
from core.quantify.guideline import her2_score


def test_same_seed_gives_the_same_picture() -> None:
    first = her2_phantom(4, size_px=128, varied=True)
    assert np.array_equal(first.image, her2_phantom(4, size_px=128, varied=True).image)
    assert not np.array_equal(first.image, her2_phantom(5, size_px=128, varied=True).image)


@pytest.mark.parametrize("score", list(Her2Score))
def test_truth_follows_from_the_cells_in_the_picture(score: Her2Score) -> None:
    truth = her2_phantom(8, size_px=512, score=score).truth
    _, faint, moderate, intense = truth.fractions
    assert truth.score == score
    assert sum(truth.fractions) == pytest.approx(1.0)
    assert her2_score(intense_complete=intense, moderate_complete=moderate, faint_incomplete=faint) == score


def test_stronger_scores_hold_more_dab() -> None:
    amounts = [float(her2_phantom(8, size_px=256, score=score).dab.mean()) for score in Her2Score]
    assert amounts == sorted(amounts)


def test_score_zero_has_no_membrane_at_all() -> None:
    phantom = her2_phantom(8, size_px=256, fractions=(1.0, 0.0, 0.0, 0.0), blush=0.0)
    assert float(phantom.dab[phantom.tumour].max()) == 0.0


def test_percent_positive_is_counted_on_nuclei_in_the_picture() -> None:
    truth = nuclear_phantom(3, percent_positive=30.0, size_px=512).truth
    assert truth.percent_positive == pytest.approx(30.0, abs=1.5)
    assert truth.percent_positive == pytest.approx(100 * truth.positive.mean())
    assert ((truth.strength > 0) == truth.positive).all()


def test_he_and_her2_of_one_seed_are_the_same_section() -> None:
    assert np.array_equal(
        he_phantom(6, size_px=256, varied=True).tumour, her2_phantom(6, size_px=256, varied=True).tumour
    )


def test_tissue_without_tumour_has_no_score() -> None:
    phantom = her2_phantom(2, size_px=128, tissue=TissueConfig(tumour=0.0, fat=0.6))
    assert phantom.truth.score is None
    assert phantom.truth.tumour_cells == 0


def test_empty_background_shows_the_white_point() -> None:
    phantom = her2_phantom(2, size_px=256, tissue=TissueConfig(tumour=0.3, empty=0.5))
    assert np.percentile(phantom.image, 95, axis=(0, 1)) == pytest.approx(phantom.white, abs=8)
