"""Named collections: whose they are, what leaves them, and what happens when something goes wrong half-way."""

import csv
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from people_of_collections import ADMIN, PAULA, RITA, RON

from core import collections, jobs
from core.collections import KeptImage, changes
from core.collections.stored import collections_folder
from core.errors import (
    CancelledError,
    ConflictError,
    InvalidDataError,
    InvalidOptionError,
    NotFoundError,
    PermissionDeniedError,
    StorageError,
)
from core.png_text import read_text
from core.training.config import SimpleCnnConfig
from core.training.data import open_data
from core.types import RGBImage

pytestmark = pytest.mark.usefixtures("settings")

SHA = "ab" * 32


def kept(label: str, seed: int, truncation: float = 1.0) -> KeptImage:
    """How an image came about."""
    return KeptImage(label, seed, truncation, "medsyngan_g", SHA, {"confidence": 0.5 + seed / 1000})


def sampled(*wanted: KeptImage) -> Iterator[tuple[KeptImage, RGBImage]]:
    """An image for each."""
    for each in wanted:
        yield each, np.random.default_rng(each.seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def filled(name: str = "Favourites") -> str:
    """A collection of four images."""
    made = collections.create(RITA, name)
    collections.add_images(RITA, made.id, sampled(kept("PR+", 1), kept("PR-", 1), kept("PR+", 2), kept("PR-", 3)))
    return made.id


def test_a_collection_keeps_images_and_how_they_were_made() -> None:
    collection = collections.get(RITA, filled())
    assert (collection.name, collection.counts) == ("Favourites", {"PR-": 2, "PR+": 2})
    assert [each.file for each in collection.images][:2] == ["synthetic_PR+_1.png", "synthetic_PR-_1.png"]
    assert collection.images[0].kept == kept("PR+", 1)
    ((_, image),) = sampled(kept("PR+", 2))
    assert np.array_equal(collections.read_image(RITA, collection.id, "synthetic_PR+_2.png"), image)
    assert collection.bytes == sum(path.stat().st_size for path in collection.folder.glob("images/*.png"))


def test_every_file_says_that_it_is_synthetic() -> None:
    text = read_text(collections.picture(RITA, filled(), "synthetic_PR-_3.png"))
    assert "Synthetic" in text["Comment"]
    assert (text["Class"], text["Seed"], text["Weights-SHA256"]) == ("PR-", "3", SHA)


def test_an_image_is_kept_once_and_another_truncation_is_another_image() -> None:
    collection_id = filled()
    again = collections.add_images(RITA, collection_id, sampled(kept("PR+", 1), kept("PR+", 1, 0.5)))
    assert (again.added, again.repeated) == (1, 1)
    assert again.collection.images[-1].file == "synthetic_PR+_1_2.png"


def test_nobody_else_sees_it() -> None:
    collection_id = filled()
    for other in (RON, ADMIN):
        assert collections.list_collections(other) == []
        for ask in (collections.get, collections.delete):
            with pytest.raises(NotFoundError):
                ask(other, collection_id)
        with pytest.raises(NotFoundError):
            collections.add_images(other, collection_id, sampled(kept("PR+", 9)))
    with pytest.raises(PermissionDeniedError):
        collections.create(PAULA, "mine")
    with pytest.raises(NotFoundError):
        collections.get(RITA, "../datasets")


def test_names_are_given_once_and_can_be_changed() -> None:
    first, second = filled("One"), filled("Two")
    with pytest.raises(ConflictError, match="already"):
        collections.rename(RITA, second, " one ")
    with pytest.raises(InvalidOptionError, match="needs a name"):
        collections.create(RITA, " \n ")
    assert collections.rename(RITA, second, "Two better").name == "Two better"
    assert [each.id for each in collections.list_collections(RITA)] == [second, first]


def test_removed_images_are_gone_and_the_collection_too() -> None:
    collection_id = filled()
    left = collections.remove_images(RITA, collection_id, ["synthetic_PR+_1.png", "no such file"])
    assert len(left.images) == len(list(left.folder.glob("images/*"))) == 3
    with pytest.raises(NotFoundError, match="no such image"):
        collections.picture(RITA, collection_id, "synthetic_PR+_1.png")
    collections.delete(RITA, collection_id)
    assert list(collections_folder().iterdir()) == []


def test_what_is_whole_is_kept_where_an_addition_is_cancelled() -> None:
    def stopped() -> Iterator[tuple[KeptImage, RGBImage]]:
        yield from sampled(kept("PR+", 11), kept("PR+", 12))
        raise CancelledError

    collection_id = filled()
    with pytest.raises(CancelledError, match="2 images"):
        collections.add_images(RITA, collection_id, stopped())
    collection = collections.get(RITA, collection_id)
    assert len(collection.images) == len(list(collection.folder.glob("images/*"))) == 6


def test_a_full_disk_is_a_sentence_and_nothing_half_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    collection_id = filled()
    before = sorted(path for path in collections_folder().rglob("*") if path.name != ".lock")
    written = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "1.png" or path.parent.name == "PR+":
            raise OSError(28, "No space left on device")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left"):
        collections.add_images(RITA, collection_id, sampled(kept("PR+", 7), kept("PR+", 8)))
    with pytest.raises(StorageError, match="No space left"):
        collections.export_dataset(RITA, collection_id, "set")
    with pytest.raises(StorageError):
        collections.export_zip(RITA, collection_id, tmp_path / "missing" / "out.zip")
    assert sorted(path for path in collections_folder().rglob("*") if path.name != ".lock") == before
    assert jobs.list_datasets(RITA) == []


def test_the_zip_has_every_image_and_a_manifest(tmp_path: Path) -> None:
    size = collections.export_zip(RITA, filled(), tmp_path / "out.zip")
    assert size == (tmp_path / "out.zip").stat().st_size and len(list(tmp_path.glob("*.zip"))) == 1
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        rows = list(csv.DictReader(archive.read("manifest.csv").decode("utf-8-sig").splitlines()))
        about = json.loads(archive.read("manifest.json"))
        assert {f"images/{row['file']}" for row in rows} <= set(archive.namelist())
        assert "Synthetic" in read_text(archive.read(f"images/{rows[0]['file']}"))["Comment"]
    assert [row["seed"] for row in rows] == ["1", "1", "2", "3"]
    assert (rows[0]["class"], rows[0]["weights_sha256"], rows[0]["confidence"]) == ("PR+", SHA, "0.501")
    assert about["synthetic"] is True and about["images"][3]["scores"] == {"confidence": 0.503}


def test_a_cancelled_zip_leaves_nothing(tmp_path: Path) -> None:
    def stop(_step: str, _done: int, _total: int) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        collections.export_zip(RITA, filled(), tmp_path / "out.zip", progress=stop)
    assert list(tmp_path.glob("*zip*")) == []


def test_training_accepts_the_exported_set_as_data_and_as_synthetic_images() -> None:
    stored = collections.export_dataset(RITA, filled(), "Kept PR tiles")
    data = open_data(stored.folder)
    assert jobs.list_datasets(RITA) == [stored]
    assert (data.classes, len(data.items), stored.files) == (("PR-", "PR+"), 4, 4)
    assert all(item.path.name.startswith("synthetic_") for item in data.items)
    jobs.usable_data(RITA, stored.id, SimpleCnnConfig(synthetic=stored.folder))
    with pytest.raises(NotFoundError):
        jobs.usable_data(RON, stored.id, SimpleCnnConfig(synthetic=stored.folder))


def test_some_images_can_be_copied_into_another_collection_or_a_data_set() -> None:
    collection_id = filled()
    some = ["synthetic_PR+_1.png", "synthetic_PR-_3.png", "no such file"]
    copied = collections.copy_images(RITA, collection_id, some, "Accepted")
    assert [each.kept for each in copied.images] == [kept("PR+", 1), kept("PR-", 3)]
    assert collections.export_dataset(RITA, collection_id, "set", files=some).files == 2


def test_an_empty_collection_is_no_export(tmp_path: Path) -> None:
    made = collections.create(RITA, "Empty")
    with pytest.raises(InvalidDataError, match="is empty"):
        collections.export_zip(RITA, made.id, tmp_path / "out.zip")
    with pytest.raises(InvalidDataError, match="is empty"):
        collections.export_dataset(RITA, made.id, "set")


def test_a_damaged_description_does_not_hide_the_others() -> None:
    good, bad = filled("good"), filled("bad")
    (collections_folder() / bad / "collection.json").write_bytes(b"{")
    assert [each.id for each in collections.list_collections(RITA)] == [good]
    with pytest.raises(StorageError, match="damaged"):
        collections.get(RITA, bad)


def test_file_names_are_safe_on_every_system() -> None:
    assert changes.file_name(kept("a/b:c", 5)) == "synthetic_a-b-c_5.png"
