"""Tiles with and without stained nuclei."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import StorageError
from core.training.bundled.nuclear_tiles import (
    Field,
    TileLabel,
    TileSampler,
    grid_tiles,
    labelled_tiles,
    read_fields,
    simulate_fields,
)
from core.training.bundled.simple_cnn import folds_by_case
from core.training.data.class_folders import write_tiles


def _field(*nuclei: tuple[float, float, bool]) -> Field:
    points = np.array([(x, y) for x, y, _ in nuclei], float).reshape(-1, 2)
    stained = np.array([stain for _, _, stain in nuclei], bool)
    image = np.full((256, 256, 3), 240, np.uint8)
    return Field("bcdata", "a", image, 1.0, points, stained, np.zeros((64, 64), np.float32))


def test_a_stained_nucleus_inside_makes_a_tile_positive() -> None:
    assert _field((60, 60, True), (20, 20, False)).label(0, 0, 128) is TileLabel.POSITIVE


def test_unstained_nuclei_alone_make_it_negative() -> None:
    assert _field((20, 20, False), (200, 200, True)).label(0, 0, 128) is TileLabel.NEGATIVE


def test_a_stained_nucleus_cut_by_the_border_leaves_it_without_label() -> None:
    assert _field((20, 20, False), (140, 60, True)).label(0, 0, 128) is TileLabel.UNLABELLED
    assert _field((20, 20, False), (124, 60, True)).label(0, 0, 128) is TileLabel.UNLABELLED


def test_a_tile_without_nuclei_is_empty_only_where_nothing_is_brown() -> None:
    field = _field((200, 200, True))
    assert field.label(0, 0, 128) is TileLabel.EMPTY
    field.dab[5, 5] = 0.5
    assert field.label(0, 0, 128) is TileLabel.UNLABELLED


def test_the_grid_holds_labelled_tiles_only() -> None:
    tiles, labels = grid_tiles(_field((60, 60, True), (200, 200, False)))
    assert (tiles.shape, labels.tolist()) == ((2, 128, 128, 3), [1, 0])


def test_overlapping_tiles_are_many_more() -> None:
    field = _field((60, 60, True), (200, 200, False), (60, 200, False), (200, 60, False))
    assert (len(grid_tiles(field)[0]), len(grid_tiles(field, stride_px=32)[0])) == (4, 16)


def test_writes_class_folders_with_the_case_in_the_name(tmp_path: Path) -> None:
    field = _field((60, 60, True), (200, 200, False))
    assert write_tiles(labelled_tiles([field]), tmp_path / "tiles") == {"PR+": 1, "PR-": 1}
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png"))
    assert names == ["tiles/PR+/a__00000.png", "tiles/PR-/a__00000.png"]


def test_never_mixes_tiles_of_two_sets(tmp_path: Path) -> None:
    (tmp_path / "old.png").touch()
    with pytest.raises(StorageError, match="not empty"):
        write_tiles(labelled_tiles([_field((60, 60, True))]), tmp_path)


def test_drawn_tiles_are_the_same_for_the_same_seed() -> None:
    sampler = TileSampler(simulate_fields(2))
    first, again = (sampler.draw(np.random.default_rng(3), 4) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert first[0].shape == (4, 128, 128, 3)


def test_no_case_is_on_both_sides_of_a_fold(shared_data: Path) -> None:
    fields = read_fields(shared_data)
    judged = []
    for seen, unseen in folds_by_case(fields, 3):
        assert {field.case for field in seen}.isdisjoint(field.case for field in unseen)
        assert {field.source for field in unseen} == {"bcdata", "shidc"}
        judged += unseen
    assert len(judged) == len(fields) == 34


def test_two_overlapping_fields_are_one_case(shared_data: Path) -> None:
    assert not any(field.case == "p1_0317" for field in read_fields(shared_data))
