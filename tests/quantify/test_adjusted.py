"""Which figures follow from adjustments: of nuclei, or of the membranes around them."""

import pytest
from results_by_hand import hand_made_nuclei

from core.errors import InvalidOptionError
from core.quantify.adjusted import (
    GRADE_NAMES,
    PATTERN_NAMES,
    adjusted_scores,
    class_names,
    classes_anywhere,
    classes_of,
)
from core.quantify.scores import nuclear_scores
from core.types import Adjustments, Region

MIXED = (0, 1, 2, 3) * 30
LEFT = Region(((0, 0), (320, 0), (320, 640), (0, 640)))
CHANGED = Adjustments(regions=(LEFT,), corrections={0: 3})


def test_nuclei_of_a_nuclear_stain_are_graded() -> None:
    nuclei = hand_made_nuclei(MIXED)
    found = adjusted_scores(nuclei, CHANGED, "2026-11-22T10:00:00+00:00")
    assert (found.nuclear, found.membrane) == (nuclear_scores(nuclei, CHANGED), None)
    assert (found.adjustments, found.at) == (CHANGED, "2026-11-22T10:00:00+00:00")
    assert classes_of(nuclei).tolist() == list(MIXED)
    assert class_names(nuclei) is GRADE_NAMES


def test_cells_of_a_membrane_stain_have_patterns() -> None:
    nuclei = hand_made_nuclei(MIXED, patterns=True)
    found = adjusted_scores(nuclei, CHANGED)
    assert found.nuclear is None
    assert found.membrane is not None
    assert found.membrane.cells + found.membrane.left_out == len(MIXED)
    assert class_names(nuclei) is PATTERN_NAMES
    assert classes_of(nuclei).tolist() == list(MIXED)


@pytest.mark.parametrize("patterns", [False, True])
def test_a_correction_and_a_region_show_in_the_classes(patterns: bool) -> None:
    nuclei = hand_made_nuclei(MIXED, patterns=patterns)
    now, anywhere = classes_of(nuclei, CHANGED), classes_anywhere(nuclei, CHANGED)
    assert now[0] == anywhere[0] == 3
    right = nuclei.centres[:, 0] > 320
    assert (now[right] == -1).all()
    assert (anywhere[right] == classes_of(nuclei)[right]).all()


@pytest.mark.parametrize("patterns", [False, True])
def test_a_correction_of_no_nucleus_is_refused(patterns: bool) -> None:
    with pytest.raises(InvalidOptionError, match="no nucleus 120"):
        adjusted_scores(hand_made_nuclei(MIXED, patterns=patterns), Adjustments(corrections={120: 1}))
