"""Splitting by case: nobody on both sides, every class everywhere, given subsets kept."""

import time
from collections import Counter
from pathlib import Path

import pytest
from pictures_on_disk import write_classes, write_set

from core.errors import InvalidDataError, InvalidOptionError
from core.training.data import DataSet, Item, Kind, Subset, open_data
from core.training.data.splitting import split

TRAIN, VAL, TEST = Subset.TRAIN, Subset.VAL, Subset.TEST


def made_up(*rows: tuple[str, str, Subset | None]) -> DataSet:
    """A data set of (class, case, subset), without any files."""
    items = tuple(Item(Path(f"/{n}.png"), label, case, subset) for n, (label, case, subset) in enumerate(rows))
    return DataSet(Path("/"), Kind.CLASSES, items, tuple(sorted({row[0] for row in rows})), cases_known=True)


def sides(data: DataSet) -> dict[str, set[Subset | None]]:
    """The subsets of every case."""
    found: dict[str, set[Subset | None]] = {}
    for item in data.items:
        found.setdefault(item.case, set()).add(item.subset)
    return found


def shares(data: DataSet) -> Counter[tuple[str, Subset | None]]:
    """Images of each class in each subset."""
    return Counter((item.label, item.subset) for item in data.items)


def test_every_class_has_its_share_everywhere() -> None:
    data = split(made_up(*((f"{'ab'[n % 4 == 0]}", f"c{n}", None) for n in range(400))), 0.15, 0.15, 0)
    assert shares(data) == {
        ("a", TRAIN): 210,
        ("a", VAL): 45,
        ("a", TEST): 45,
        ("b", TRAIN): 70,
        ("b", VAL): 15,
        ("b", TEST): 15,
    }


def test_no_case_is_on_two_sides_even_with_several_classes() -> None:
    rows = [("ab"[(n // 3) % 2], f"c{n % 17}", None) for n in range(300)]
    data = split(made_up(*rows), 0.2, 0.2, 3)
    assert all(len(found) == 1 for found in sides(data).values())
    assert {(label, subset) for label in "ab" for subset in Subset} == set(shares(data))


def test_real_cases_stay_together(shared_data: Path) -> None:
    data = split(open_data(shared_data / "mist"), 0.3, 0.3, 0)
    assert Counter(len(found) for found in sides(data).values()) == {1: 3}
    assert {item.subset for item in data.items} == {TRAIN, VAL, TEST}


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    data = made_up(*(("ab"[n % 2], f"c{n}", None) for n in range(100)))
    assert split(data, 0.2, 0.2, 5) == split(data, 0.2, 0.2, 5)
    assert split(data, 0.2, 0.2, 5) != split(data, 0.2, 0.2, 6)


def test_given_subsets_are_kept_and_validation_is_taken_from_training() -> None:
    rows = [("ab"[n % 2], f"c{n}", TEST if n < 20 else TRAIN) for n in range(120)]
    data = split(made_up(*rows), 0.2, 0.3, 0)
    assert shares(data) == {
        (label, subset): count for label in "ab" for subset, count in ((TRAIN, 40), (VAL, 10), (TEST, 10))
    }
    assert all(item.subset is TEST for item in data.items[:20])


def test_complete_subsets_stay_as_they_are() -> None:
    rows = [("ab"[n % 2], f"c{n}", (TRAIN, TRAIN, VAL, VAL, TEST, TEST)[n % 6]) for n in range(60)]
    assert split(made_up(*rows), 0.2, 0.2, 0) == made_up(*rows)


def test_given_validation_without_test_is_noted() -> None:
    rows = [("ab"[n % 2], f"c{n}", VAL if n < 4 else TRAIN) for n in range(20)]
    data = split(made_up(*rows), 0.2, 0.2, 0)
    assert {item.subset for item in data.items} == {TRAIN, VAL}
    assert "no test images" in data.notes[0]


def test_images_without_subset_go_where_their_case_is() -> None:
    rows = [("ab"[n % 2], f"c{n // 2}", TEST if n in (0, 1, 2) else None) for n in range(40)]
    data = split(made_up(*rows), 0.2, 0.2, 0)
    assert [item.subset for item in data.items[:4]] == [TEST] * 4
    assert {item.subset for item in data.items[4:]} == {TRAIN, VAL}


def test_one_subset_for_all_images_says_nothing(shared_data: Path) -> None:
    data = split(open_data(shared_data / "bci"), 0.2, 0.2, 0)
    assert {item.subset for item in data.items} == {TRAIN, VAL, TEST}
    assert data.notes[-1] == "All images are called test; they were split anew."


def test_too_few_cases_leave_no_test_and_say_so() -> None:
    data = split(made_up(*((label, f"{label}{n}", None) for label in "ab" for n in range(2))), 0.15, 0.15, 0)
    assert shares(data) == {(label, subset): 1 for label in "ab" for subset in (TRAIN, VAL)}
    assert "too few cases for a test subset" in data.notes[0]


def test_a_class_of_one_case_trains_and_its_absence_elsewhere_is_noted() -> None:
    rows = [("a", f"c{n}", None) for n in range(10)] + [("b", "d", None)] * 5
    data = split(made_up(*rows), 0.2, 0.2, 0)
    assert shares(data)["b", TRAIN] == 5
    assert "The validation images show no b: nothing is known about that class there." in data.notes


def test_one_case_per_class_leaves_no_validation_and_says_so() -> None:
    data = split(made_up(*((label, label, None) for label in "ab" for _ in range(5))), 0.2, 0.2, 0)
    assert {item.subset for item in data.items} == {TRAIN}
    assert "too few cases to hold any back for validation" in data.notes[-1]


def test_nothing_is_held_out_where_nobody_asks_for_it() -> None:
    data = split(made_up(*(("ab"[n % 2], f"c{n}", None) for n in range(10))), 0.0, 0.0, 0)
    assert {item.subset for item in data.items} == {TRAIN}


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="All 3 images are of the class 'PR\\+'; at least two classes"):
        split(open_data(write_classes(tmp_path, {"PR+": 3})), 0.2, 0.2, 0)


def test_a_class_with_one_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="The class PR- has one image only"):
        split(open_data(write_classes(tmp_path, {"PR+": 3, "PR-": 1})), 0.2, 0.2, 0)


def test_a_single_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="one pair only"):
        split(open_data(write_set(tmp_path, ["HE/a.png", "IHC/a.png"])), 0.2, 0.2, 0)


def test_a_class_that_never_trains_is_refused() -> None:
    rows = [("a", f"c{n}", TRAIN) for n in range(4)] + [("b", f"d{n}", TEST) for n in range(4)]
    with pytest.raises(InvalidDataError, match="The class b has no image to train on"):
        split(made_up(*rows), 0.2, 0.2, 0)


def test_shares_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InvalidOptionError, match="leave nothing to train on"):
        split(made_up(("a", "1", None)), 0.5, 0.5, 0)


def test_twenty_thousand_files_split_in_seconds() -> None:
    data = made_up(*(("abcd"[n % 4], f"c{n}", None) for n in range(20_000)))
    started = time.process_time()
    assert shares(split(data, 0.15, 0.15, 0))["a", TEST] == 750
    assert time.process_time() - started < 10
