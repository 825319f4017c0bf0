"""The caches of decoded tiles and pairs: cut as an analysis cuts, built whole or not at all, found again."""

import os
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures_on_disk import picture, write_classes, write_set

from core.errors import CancelledError, InvalidDataError, StorageError
from core.images import encode_png, resize_to
from core.training.data import DataSet, Subset, open_data
from core.training.data.pair_cache import PairCache, build_pair_cache
from core.training.data.splitting import split
from core.training.data.tile_cache import TileCache, brown_p98, build_cache
from core.types import RGBImage


def build(
    data: DataSet, folder: Path, *, input_px: int = 32, mpp: float | None = None, white: float | None = None
) -> TileCache:
    """Build a cache of 8 um tiles (32 px at 40x)."""
    return build_cache(data, folder / "cache", input_px=input_px, tile_um=8.0, mpp=mpp, white_level=white)


def save(path: Path, image: RGBImage) -> None:
    """Write one picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(image))


def two_classes(root: Path, count: int = 6) -> DataSet:
    """A split data set of two classes."""
    return split(open_data(write_classes(root / "set", {"PR-": count, "PR+": count}, per_case=2)), 0.3, 0.3, 0)


def test_one_tile_per_small_image_with_its_class_case_and_subset(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    cache = build(data, tmp_path)
    assert (cache.tiles.shape, cache.tiles.dtype, cache.classes) == ((12, 32, 32, 3), np.uint8, ("PR-", "PR+"))
    assert cache.labels.tolist() == [data.classes.index(item.label) for item in data.items]
    assert cache.cases == tuple(item.case for item in data.items)
    assert sorted(np.concatenate([cache.of(subset) for subset in Subset]).tolist()) == list(range(12))
    assert {data.items[int(cache.items[row])].subset for row in cache.of(Subset.VAL)} == {Subset.VAL}
    assert np.array_equal(cache.tiles[0], resize_to(cv2.imread(str(data.items[0].path))[..., ::-1], (32, 32)))


def test_large_images_are_cut_and_blank_tiles_dropped(tmp_path: Path) -> None:
    image = np.full((400, 400, 3), 240, np.uint8)
    image[:100, :100] = picture(1, 100, 100, brown=True)
    for label in "ab":
        save(tmp_path / "set" / label / "1.png", image)
    cache = build(open_data(tmp_path / "set"), tmp_path)
    assert 2 * 9 <= len(cache.tiles) <= 2 * 25 < 2 * 13 * 13


def test_a_known_scale_decides_how_an_image_is_cut(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    assert 12 * 2 < len(build(data, tmp_path, mpp=0.25).tiles) <= 12 * 4
    assert len(build(data, tmp_path, mpp=0.125).tiles) == 12


def test_real_cores_are_cut_like_an_analysis(shared_data: Path, tmp_path: Path) -> None:
    from core.training.bundled.her2_cases import cut_tiles, list_cases, read_image  # noqa: PLC0415

    case = next(case for case in list_cases(shared_data) if case.name == "00006")
    for label in ("0", "3+"):
        shutil.copy(case.path, (tmp_path / "set" / label).mkdir(parents=True) or tmp_path / "set" / label / "a.png")
    cache = build_cache(open_data(tmp_path / "set"), tmp_path / "cache", input_px=224, tile_um=128.0, mpp=0.5)
    assert np.array_equal(cache.tiles[:16], cut_tiles(read_image(case.path), 0.5).images)
    assert not cache.unstained.any()


def test_tells_tiles_without_brown(tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / "set" / "a" / f"{number}.png", picture(number))
        save(tmp_path / "set" / "b" / f"{number}.png", picture(number, brown=True))
    cache = build(open_data(tmp_path / "set"), tmp_path)
    assert cache.unstained.tolist() == [True] * 4 + [False] * 4
    assert brown_p98(picture(0), np.full(3, 225.0)) < 0.08 < brown_p98(picture(0, brown=True), np.full(3, 225.0))


def test_tiles_are_brought_to_the_background_that_the_network_expects(tmp_path: Path) -> None:
    for number in range(4):
        for label in "ab":
            save(tmp_path / "set" / label / f"c{number}__1.png", (picture(number) * 0.8).astype(np.uint8))
    cache = build(open_data(tmp_path / "set"), tmp_path, input_px=64, white=240.0)
    assert np.percentile(cache.tiles, 80) == pytest.approx(240, abs=5)


def test_is_found_again_without_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = two_classes(tmp_path)
    first = build(data, tmp_path)
    monkeypatch.setattr("core.training.data.tile_cache.read_image", lambda _: pytest.fail("decoded again"))
    again = build(data, tmp_path)
    assert (again.folder, again.tiles.tobytes()) == (first.folder, first.tiles.tobytes())


def test_another_split_uses_the_same_tiles(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    assert build(data, tmp_path).folder == build(split(open_data(data.root), 0.3, 0.3, 9), tmp_path).folder


def test_a_changed_image_another_scale_or_background_is_read_anew(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    folders = {
        build(data, tmp_path).folder,
        build(data, tmp_path, input_px=48).folder,
        build(data, tmp_path, white=240).folder,
    }
    save(data.items[0].path, picture(77))
    os.utime(data.items[0].path, (1, 1))
    assert len(folders | {build(data, tmp_path).folder}) == 4


def test_a_damaged_cache_is_built_again(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    first = build(data, tmp_path)
    before = first.tiles.tobytes()
    os.truncate(first.folder / "tiles.bin", 100)
    assert build(data, tmp_path).tiles.tobytes() == before


def test_a_few_unreadable_images_are_named_and_left_out(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    data.items[3].path.write_bytes(b"no image")
    cache = build(data, tmp_path)
    assert (len(cache.tiles), 3 in cache.items) == (11, False)
    assert "1 of 12 images cannot be used: PR+c1__3.png is not an image" in cache.notes[0]


def test_thirty_percent_unreadable_images_are_refused_by_name(tmp_path: Path) -> None:
    data = two_classes(tmp_path, 10)
    for item in data.items[:6]:
        item.path.write_bytes(b"no image")
    with pytest.raises(
        InvalidDataError, match="6 of 20 images cannot be used: PR.c0__0.png .* And 1 more. At most 20%"
    ):
        build(data, tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []


def test_sizes_from_one_to_8000_pixels(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    sizes = ((1, 1), (33, 33), (32, 8000), (8000, 8000))
    for item, (width, height) in zip(data.items[:4], sizes, strict=True):
        image = np.full((height, width, 3), 240, np.uint8)
        image[:600, :600] = picture(3, 600, 600)[:height, :width]
        save(item.path, image)
    cache = build_cache(data, tmp_path / "cache", input_px=32, tile_um=32.0)
    assert "has 1 x 1 px" in cache.notes[0]
    assert [index in cache.items for index in range(4)] == [False, True, True, True]


def test_images_without_any_tissue_are_named(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    save(data.items[0].path, np.full((500, 500, 3), 240, np.uint8))
    assert build(data, tmp_path).notes == ("1 images show no tissue and were left out: PR+c0__0.png.",)


def test_a_class_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    write_classes(tmp_path / "set", {"a": 2, "b": 20})
    for path in (tmp_path / "set" / "a").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(InvalidDataError, match="No tile of the class a is left to train on"):
        build(open_data(tmp_path / "set"), tmp_path)


def test_a_data_folder_that_vanishes_while_reading_is_a_sentence(tmp_path: Path) -> None:
    data = two_classes(tmp_path, 60)

    def vanish(_: str, done: int, __: int) -> None:
        if done and data.root.exists():
            data.root.rename(tmp_path / "elsewhere")

    with pytest.raises(InvalidDataError, match="is gone: it was moved or deleted"):
        build_cache(data, tmp_path / "cache", input_px=32, tile_um=8.0, progress=vanish)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_data_folder_that_was_gone_before_is_a_sentence(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    shutil.rmtree(data.root)
    with pytest.raises(InvalidDataError, match="is gone"):
        build(data, tmp_path)


def test_stopping_leaves_no_half_cache(tmp_path: Path) -> None:
    def stop(step: str, *_: object) -> None:
        if step == "measuring stain":
            raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        build_cache(two_classes(tmp_path), tmp_path / "cache", input_px=32, tile_um=8.0, progress=stop)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = two_classes(tmp_path)
    monkeypatch.setattr(
        "core.training.data.cache_folder.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})()
    )
    with pytest.raises(StorageError, match="GB are free. Free some disk space"):
        build(data, tmp_path)


def test_old_caches_and_what_was_left_of_killed_builds_make_way(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    old, killed, fresh = (tmp_path / "cache" / name for name in ("old", "x.123.partial", "fresh"))
    for place, days in ((old, 40), (killed, 2), (fresh, 2)):
        place.mkdir(parents=True)
        os.utime(place, (time.time() - days * 86_400,) * 2)
    kept = build(data, tmp_path).folder
    assert set((tmp_path / "cache").iterdir()) == {kept, fresh}


def pairs(root: Path, *, size: int = 64, count: int = 4) -> DataSet:
    """Pairs of equal size."""
    names = [f"{side}/{number}.png" for side in ("HE", "IHC") for number in range(count)]
    return split(open_data(write_set(root / "pairs", names, size=size)), 0.25, 0.25, 0)


def build_pairs(data: DataSet, root: Path, *, field_px: int = 32) -> PairCache:
    """Build a cache of pairs at 20x."""
    return build_pair_cache(data, root / "cache", field_px=field_px, mpp_target=0.5)


def test_pairs_are_brought_to_the_scale_of_the_generator(tmp_path: Path) -> None:
    data = pairs(tmp_path)
    cache = build_pairs(data, tmp_path)
    assert cache.he.shape == cache.ihc.shape == (4, 32, 32, 3)
    assert cache.white_he.shape == (4, 3)
    assert [len(cache.of(subset)) for subset in Subset] == [2, 1, 1]
    he = cv2.imread(str(data.items[0].path))[..., ::-1]
    assert np.array_equal(cache.he[0], resize_to(he, (32, 32)))
    assert build_pairs(data, tmp_path).folder == cache.folder


def test_large_pairs_become_several_fields_and_small_ones_are_mirrored(tmp_path: Path) -> None:
    assert len(build_pairs(pairs(tmp_path / "a", size=200), tmp_path).he) == 4 * 16
    small = build_pairs(pairs(tmp_path / "b", size=50), tmp_path)
    assert np.array_equal(small.he[:, 26], small.he[:, 22])


def test_pairs_of_different_shape_are_named(tmp_path: Path) -> None:
    data = pairs(tmp_path, count=6)
    partner = data.items[2].partner
    assert partner is not None
    save(partner, picture(1, 64, 40))
    assert "2.png has 64 x 64 px, its IHC 64 x 40 px" in build_pairs(data, tmp_path).notes[0]


def test_real_pairs(shared_data: Path, tmp_path: Path) -> None:
    cache = build_pair_cache(open_data(shared_data / "mist"), tmp_path, field_px=256, mpp_target=1.0)
    assert (cache.he.shape, set(cache.cases)) == ((5, 256, 256, 3), {"15M2102762", "28M2101987", "31M2101871"})
