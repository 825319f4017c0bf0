"""Uploads: whose they are, what they may hold, and what nobody may train on."""

import io
import zipfile
from pathlib import Path

import pytest
from people_of_jobs import ADMIN, PAULA, RITA, RON

from core.config import get_settings
from core.errors import (
    ConflictError,
    InvalidDataError,
    InvalidOptionError,
    NotFoundError,
    PermissionDeniedError,
    StorageError,
)
from core.jobs import add_upload, data_path, delete_dataset, get_dataset, list_datasets, stop, submit, usable_data
from core.jobs.datasets import dataset_folder
from core.jobs.runs import list_runs
from core.training.config import SimpleCnnConfig

pytestmark = pytest.mark.usefixtures("launcher")

LONG = {"recipe": "simple-cnn", "epochs": 1000}


def zipped(folder: Path, inside: str = "") -> bytes:
    """A ZIP of a folder's files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, f"{inside}{path.relative_to(folder)}")
    return buffer.getvalue()


def test_an_upload_is_kept_for_its_owner_and_trained_on(images: Path) -> None:
    stored = add_upload(RITA, "PR tiles.zip", io.BytesIO(zipped(images, "my tiles/")))
    assert (stored.name, stored.owner, stored.files) == ("PR tiles", "Rita", 20)
    assert list_datasets(RITA) == list_datasets(ADMIN) == [stored]
    assert list_datasets(RON) == []

    run = submit(RITA, name="", data=stored.id, config=LONG)
    assert run.data == str(stored.folder)
    with pytest.raises(ConflictError, match="still needs"):
        delete_dataset(RITA, stored.id)


def test_an_upload_is_removed_for_good(images: Path) -> None:
    stored = add_upload(RITA, "tiles", zipped(images))
    submit(RITA, name="", data=images, config=LONG)
    second = submit(RITA, name="", data=stored.folder, config=LONG)
    stop(RITA, second.id)
    delete_dataset(RITA, stored.id)
    assert list(dataset_folder().iterdir()) == []


def test_nobody_else_trains_on_it(images: Path) -> None:
    stored = add_upload(RITA, "tiles", zipped(images))
    for data in (stored.id, stored.folder, stored.folder / "PR-", stored.folder.parent):
        with pytest.raises(NotFoundError):
            submit(RON, name="", data=data, config=LONG)
    with pytest.raises(NotFoundError):
        delete_dataset(RON, stored.id)
    assert data_path(ADMIN, stored.id) == stored.folder
    with pytest.raises(PermissionDeniedError):
        get_dataset(PAULA, stored.id)
    with pytest.raises(PermissionDeniedError):
        add_upload(PAULA, "tiles", zipped(images))


@pytest.mark.parametrize("archive", [b"", b"no archive", b"PK\x03\x04 damaged"])
def test_what_cannot_be_unpacked_leaves_nothing(archive: bytes) -> None:
    with pytest.raises(InvalidDataError):
        add_upload(RITA, "tiles", archive)
    assert list(dataset_folder().iterdir()) == []


@pytest.mark.parametrize("outside", ["../../{}/images/PR+/0.png", "{}"])
def test_a_table_cannot_name_other_peoples_images(images: Path, outside: str) -> None:
    secret = add_upload(RITA, "tiles", zipped(images))
    place = secret.id if "images" in outside else str(secret.folder / "PR+" / "0.png")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("table.csv", f"path,label\n{outside.format(place)},PR+\na.png,PR-\n")
        archive.write(images / "PR-" / "0.png", "a.png")
    with pytest.raises(InvalidDataError):
        add_upload(RON, "theirs", buffer.getvalue())
    assert [each.name for each in dataset_folder().iterdir()] == [secret.id]


def test_a_table_or_a_link_on_the_server_cannot_either(images: Path, tmp_path: Path) -> None:
    secret = add_upload(RITA, "tiles", zipped(images))
    table = tmp_path / "tables" / "table.csv"
    table.parent.mkdir()
    rows = [f"{secret.folder}/{label}/{number}.png,{label}" for label in ("PR+", "PR-") for number in range(5)]
    table.write_text("\n".join(["path,label", *rows]))
    (tmp_path / "linked").symlink_to(secret.folder)
    (images / "PR+" / "link.png").symlink_to(secret.folder / "PR+" / "0.png")
    for data in (table, tmp_path / "linked", images):
        with pytest.raises((NotFoundError, InvalidDataError)):
            usable_data(RON, data, SimpleCnnConfig())


@pytest.mark.parametrize("data", ["/no/such/folder", "\0", "x" * 5000, "", "/", "~nobody-of-that-name/x", "\ud800"])
def test_a_path_that_is_none_is_refused_in_words(data: str) -> None:
    with pytest.raises(InvalidDataError):
        submit(RITA, name="", data=data, config=LONG)
    assert list_runs(RITA) == []


@pytest.mark.parametrize("inside", [".", "history", "runs", "datasets", ".."])
def test_the_workbenchs_own_folders_are_no_data(inside: str) -> None:
    folder = get_settings().data_dir / inside
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.raises(InvalidDataError):
        data_path(ADMIN, folder)


def test_weights_to_start_from_are_ones_own(images: Path, tmp_path: Path) -> None:
    run = submit(RITA, name="", data=images, config=LONG)
    run.folder.weights.write_bytes(b"weights")
    usable_data(RITA, images, SimpleCnnConfig(start=str(run.folder.weights)))
    with pytest.raises(NotFoundError):
        usable_data(RON, images, SimpleCnnConfig(start=str(run.folder.weights)))
    for start in (get_settings().data_dir / "workbench.db", tmp_path / "missing.pth", "\0"):
        with pytest.raises((InvalidDataError, InvalidOptionError)):
            usable_data(RITA, images, SimpleCnnConfig(start=str(start)))


def test_synthetic_images_are_checked_too(images: Path) -> None:
    secret = add_upload(RITA, "tiles", zipped(images))
    with pytest.raises(NotFoundError):
        usable_data(RON, images, SimpleCnnConfig(synthetic=secret.folder))


def test_a_full_disk_is_a_sentence_and_leaves_nothing(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    archive = zipped(images)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left"):
        add_upload(RITA, "tiles", archive)
    assert list(dataset_folder().iterdir()) == []
