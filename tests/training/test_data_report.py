"""The report before training: what is in a data set, what is damaged, what is there twice."""

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures_on_disk import picture, write_classes, write_set
from pydantic import TypeAdapter

from core.errors import CancelledError, InvalidDataError
from core.images import encode_jpeg, encode_png
from core.training.data import Subset, open_data
from core.training.data.duplicates import find_twins, fingerprint, near_pairs
from core.training.data.report import ClassCount, DataReport, Duplicate, SizeCount, report
from core.training.data.splitting import split


def test_counts_classes_cases_and_sizes(tmp_path: Path) -> None:
    write_classes(tmp_path, {"PR+": 40, "PR-": 40}, per_case=4)
    (tmp_path / "PR+" / "z__1.png").write_bytes(encode_png(picture(99, 100, 50)))
    found = report(split(open_data(tmp_path), 0.2, 0.2, 0))
    assert found.classes == (ClassCount("PR-", 40, 10, 24, 8, 8), ClassCount("PR+", 41, 11, 25, 8, 8))
    assert (found.images, found.readable, found.cases, found.cases_known) == (81, 81, 21, True)
    assert found.sizes == (SizeCount(64, 64, 80), SizeCount(100, 50, 1))
    assert (found.smallest, found.largest) == (SizeCount(64, 64, 80), SizeCount(100, 50, 1))
    assert (found.unreadable, found.duplicates, found.problems) == ((), (), ())


def test_survives_json(tmp_path: Path) -> None:
    found = report(open_data(write_classes(tmp_path, {"a": 3, "b": 3})))
    adapter = TypeAdapter(DataReport)
    assert adapter.validate_json(adapter.dump_json(found)) == found


def test_names_unreadable_files_and_refuses_too_many(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 5, "b": 5})
    for number, damage in ((0, b""), (1, b"not an image"), (2, encode_png(picture(0))[:200])):
        (tmp_path / "a" / f"ac{number}__{number}.png").write_bytes(damage)
    found = report(open_data(tmp_path))
    assert [each.path for each in found.unreadable] == ["a/ac0__0.png", "a/ac1__1.png", "a/ac2__2.png"]
    assert "is empty (0 bytes)" in found.unreadable[0].reason
    assert found.problems[0].startswith("3 of 10 images cannot be used: ac0__0.png is empty")
    assert "At most 20% may be left out" in found.problems[0]


def test_sizes_from_one_to_8000_pixels(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 6, "b": 6})
    sizes = ((1, 1), (31, 8000), (8000, 8000), (33, 33))
    for number, (width, height) in enumerate(sizes):
        image = np.full((height, width, 3), 200, np.uint8)
        (tmp_path / "a" / f"x{number}.png").write_bytes(encode_png(image))
    found = report(open_data(tmp_path))
    assert [each.path for each in found.unreadable] == ["a/x0.png", "a/x1.png"]
    assert "has 1 x 1 px, at least 32 x 32 px are needed" in found.unreadable[0].reason
    assert (found.smallest, found.largest) == (SizeCount(33, 33, 1), SizeCount(8000, 8000, 1))


def test_finds_equal_and_similar_pictures_on_both_sides(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 6, "b": 6})
    original = picture(7, 96, 96)
    (tmp_path / "a" / "train.png").write_bytes(encode_png(original))
    (tmp_path / "a" / "same.png").write_bytes(encode_png(original))
    (tmp_path / "b" / "saved again.jpg").write_bytes(encode_jpeg(cv2.resize(original, (80, 80)), 80))
    data = open_data(tmp_path)
    items = tuple(
        replace(item, subset=Subset.TRAIN if item.path.stem == "train" else Subset.TEST) for item in data.items
    )
    found = report(replace(data, items=items))
    assert found.duplicates == (
        Duplicate("a/train.png", "b/saved again.jpg", exact=False, across=True, labels=("a", "b")),
        Duplicate("a/same.png", "a/train.png", exact=True, across=True, labels=("a", "a")),
        Duplicate("a/same.png", "b/saved again.jpg", exact=False, across=False, labels=("a", "b")),
    )
    assert (found.exact, found.near, found.across) == (1, 2, 2)
    assert any("2 pictures are on two sides of the split" in warning for warning in found.warnings)
    assert any("2 pictures are in two classes" in warning for warning in found.warnings)


def test_warns_of_a_case_that_the_data_set_puts_on_both_sides(tmp_path: Path) -> None:
    names = ["train/a/p1__1.png", "test/a/p1__2.png", "train/b/p2__1.png", "test/b/p3__1.png"]
    found = report(open_data(write_set(tmp_path, names)))
    assert any(
        warning.startswith("1 cases are on more than one side") and "(p1)" in warning for warning in found.warnings
    )


def test_warns_where_cases_are_unknown_and_classes_uneven(tmp_path: Path) -> None:
    write_set(tmp_path, [f"{'a' if number < 50 else 'b'}/{number}.png" for number in range(60)])
    found = report(open_data(tmp_path))
    assert [warning[:34] for warning in found.warnings] == [
        "It is not known which images belon",
        "Few images to train on (b: 10); fr",
        "a has 50 images and b only 10. Kee",
    ]


def test_says_what_prevents_a_training(tmp_path: Path) -> None:
    found = report(open_data(write_classes(tmp_path, {"PR+": 3})))
    assert "at least two classes are needed" in found.problems[0]


def test_tells_conversions_once(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 2, "b": 2})
    for path in tmp_path.rglob("*.png"):
        cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    assert report(open_data(tmp_path)).notes == ("4 images: The image is gray: no stain colour can be measured.",)


def test_pairs_are_checked_on_both_sides(tmp_path: Path) -> None:
    write_set(tmp_path, [f"{side}/{number}.png" for side in ("HE", "IHC") for number in range(3)])
    (tmp_path / "IHC" / "1.png").write_bytes(b"broken")
    found = report(open_data(tmp_path))
    assert [each.path for each in found.unreadable] == ["HE/1.png"]
    assert found.classes == (ClassCount("", 3, 3, 0, 0, 0),)


def test_a_folder_that_vanishes_is_a_sentence(tmp_path: Path) -> None:
    data = open_data(write_classes(tmp_path / "set", {"a": 3, "b": 3}))
    (tmp_path / "set").rename(tmp_path / "elsewhere")
    with pytest.raises(InvalidDataError, match="is gone"):
        report(data)


def test_can_be_stopped(tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        report(open_data(write_classes(tmp_path, {"a": 3, "b": 3})), stop)


def test_empty_pictures_are_not_called_equal() -> None:
    prints = [fingerprint(np.full((64, 64, 3), level, np.uint8), str(level)) for level in (200, 230)]
    assert find_twins(prints) == []


def test_twenty_thousand_hashes_are_compared_in_seconds() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, 20_000).astype(np.uint64)
    hashes[15_000] = hashes[3] ^ np.uint64(0b1011)
    started = time.process_time()
    assert near_pairs(hashes) == [(3, 15_000)]
    assert time.process_time() - started < 20
