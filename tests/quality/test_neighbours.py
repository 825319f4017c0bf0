"""Which training tile an image is nearest to, and the file that keeps what is needed to tell."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from index_by_hand import HELD_OUT, TILES, WIDTH, make_features, make_index

from core.errors import InvalidOptionError, WeightsError
from core.images import encode_png
from core.quality.neighbours import TrainingIndex, nearest, picture_of, pixel_hash, some_pictures
from core.quality.neighbours_file import load_index, save_index

TRAINING, UNSEEN = make_features(TILES, seed=0), make_features(HELD_OUT, seed=1)


@pytest.fixture(scope="module")
def index() -> TrainingIndex:
    return make_index(TRAINING, UNSEEN)


def test_a_training_tile_is_its_own_nearest_and_memorised(index: TrainingIndex) -> None:
    found = nearest(index, TRAINING[[5, 123]])
    assert [(each.row, each.name, each.memorised) for each in found] == [
        (5, "PR+/case__00005.png", True),
        (123, "PR+/case__00123.png", True),
    ]
    assert found[0].distance == pytest.approx(0, abs=1e-3)


def test_unseen_tiles_are_at_the_usual_distance(index: TrainingIndex) -> None:
    found = nearest(index, UNSEEN)
    assert np.median([each.ratio for each in found]) == pytest.approx(1, rel=0.01)
    assert np.mean([each.memorised for each in found]) == pytest.approx(0.05, abs=0.02)


def test_the_answer_is_that_of_a_plain_search_in_all_features(index: TrainingIndex) -> None:
    asked = make_features(500, seed=2)
    distances = np.linalg.norm(asked[:, None, :] - TRAINING[None], axis=2)
    found = nearest(index, asked)
    assert [each.row for each in found] == distances.argmin(axis=1).tolist()
    np.testing.assert_allclose([each.distance for each in found], distances.min(axis=1), rtol=1e-4)


def test_what_no_real_tile_looks_like_is_far_although_the_axes_miss_it(index: TrainingIndex) -> None:
    odd = np.zeros(WIDTH)
    odd[:] = np.linalg.svd(TRAINING - TRAINING.mean(axis=0))[2][-1]  # a direction in which real tiles never vary
    assert nearest(index, TRAINING[:1] + 1000 * odd)[0].distance == pytest.approx(1000, rel=1e-3)


def test_no_images_have_no_neighbours(index: TrainingIndex) -> None:
    assert nearest(index, np.zeros((0, WIDTH), np.float32)) == ()


def test_features_of_another_kind_are_refused(index: TrainingIndex) -> None:
    with pytest.raises(InvalidOptionError, match="256"):
        nearest(index, np.zeros((1, 128), np.float32))


def test_what_was_saved_is_read_again(index: TrainingIndex, tmp_path: Path) -> None:
    path = tmp_path / "g.index.npz"
    save_index(index, path)
    found = load_index(path)
    assert (found.names, found.pixel_sha, found.classes) == (index.names, index.pixel_sha, index.classes)
    assert (found.weights_sha256, found.features_sha256) == ("a" * 64, "b" * 64)
    assert [each.row for each in nearest(found, UNSEEN)] == [each.row for each in nearest(index, UNSEEN)]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": np.full(TILES, 2)},
        {"axes": np.zeros((WIDTH, 3), np.float32)},
        {"mean": np.full(WIDTH, np.nan, np.float32)},
        {"names": ("../../etc/passwd", *(str(row) for row in range(1, TILES)))},
        {"names": ("/etc/passwd", *(str(row) for row in range(1, TILES)))},
        {"pixel_sha": ("00",) * TILES},
        {"limit": float("nan")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_tables_that_do_not_fit_are_refused(index: TrainingIndex, tmp_path: Path, change: dict[str, object]) -> None:
    save_index(replace(index, **change), tmp_path / "g.index.npz")  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="damaged"):
        load_index(tmp_path / "g.index.npz")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "g.index.npz").write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        load_index(tmp_path / "g.index.npz")


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is missing"):
        load_index(tmp_path / "g.index.npz")


def test_an_archive_of_objects_is_refused_unread(tmp_path: Path) -> None:
    np.savez(tmp_path / "g.index.npz", names=np.array([{}], object), classes=np.array([{}], object))
    with pytest.raises(WeightsError, match="damaged"):
        load_index(tmp_path / "g.index.npz")


def test_the_picture_is_shown_where_its_very_pixels_are(index: TrainingIndex, tmp_path: Path) -> None:
    tile = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    known = replace(index, pixel_sha=(pixel_hash(tile), *index.pixel_sha[1:]))
    place = tmp_path / "upload" / "tiles" / index.names[0]  # a ZIP often holds one folder
    place.parent.mkdir(parents=True)
    assert picture_of(known, 0, [tmp_path / "upload"]) is None
    place.write_bytes(encode_png(tile))
    found = picture_of(known, 0, [tmp_path / "absent", tmp_path / "upload"])
    assert found is not None
    np.testing.assert_array_equal(found, tile)
    assert [name for name, _ in some_pictures(known, 0, [tmp_path / "upload"], count=TILES)] == [index.names[0]]
    place.write_bytes(encode_png(255 - tile))
    assert picture_of(known, 0, [tmp_path / "upload"]) is None
