"""Unpacking an uploaded ZIP: images come out, nothing else does, and nothing stays when something is wrong."""

import errno
import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import AppError, CancelledError, InvalidDataError, StorageError, TooLargeError
from core.images import encode_png
from core.training.data.unpacking import unpack

PICTURE = encode_png(np.full((40, 40, 3), 200, np.uint8))


def archive(*members: tuple[str, bytes], link: str = "") -> bytes:
    """The bytes of a ZIP with these members, and perhaps a symbolic link."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
        if link:
            info = zipfile.ZipInfo(link)
            info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            file.writestr(info, "/etc/passwd")
    return held.getvalue()


def names(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_unpacks_images_and_tables(tmp_path: Path) -> None:
    done = unpack(archive(("set/PR+/a.png", PICTURE), ("set/list.csv", b"path,label\n")), tmp_path / "new")
    assert (done.files, done.bytes, done.notes) == (2, len(PICTURE) + 11, ())
    assert names(done.folder) == ["set/PR+/a.png", "set/list.csv"]


def test_reads_a_path_and_an_open_file_too(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive(("a.png", PICTURE)))
    assert unpack(tmp_path / "a.zip", tmp_path / "one").files == 1
    with (tmp_path / "a.zip").open("rb") as file:
        assert unpack(file, tmp_path / "two").files == 1


@pytest.mark.parametrize(
    "name", ["../a.png", "x/../../a.png", "/etc/a.png", "..\\a.png", "C:\\a.png", "\\\\server\\share\\a.png"]
)
def test_refuses_names_that_lead_outside(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidDataError, match="outside of its folder"):
        unpack(archive(("good.png", PICTURE), (name, PICTURE)), tmp_path / "in" / "new")
    assert names(tmp_path) == []


def test_refuses_links(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="the link 'PR\\+/a.png'"):
        unpack(archive(("good.png", PICTURE), link="PR+/a.png"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_refuses_a_bomb_by_its_ratio(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match="no photograph does"):
        unpack(archive(("a.png", bytes(30_000_000))), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_refuses_more_bytes_than_allowed(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match="unpacks to 0.0 GB; the limit"):
        unpack(archive(*((f"{number}.png", bytes(1000)) for number in range(20))), tmp_path / "new", max_bytes=15_000)


def test_refuses_more_files_than_allowed(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match="20 files; at most 10"):
        unpack(archive(*((f"{number}.png", PICTURE) for number in range(20))), tmp_path / "new", max_files=10)


def test_a_size_that_is_stated_too_small_is_damage_and_fills_nothing(tmp_path: Path) -> None:
    data = bytearray(archive(("a.png", bytes(range(256)) * 4000)))
    entry = data.rfind(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    with pytest.raises(InvalidDataError, match="cannot be read"):
        unpack(bytes(data), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_leaves_other_files_and_nested_archives_out_and_says_so(tmp_path: Path) -> None:
    done = unpack(
        archive(("a.png", PICTURE), ("more.zip", b"PK"), ("run.exe", b"MZ"), ("notes.txt", b"")), tmp_path / "n"
    )
    assert names(done.folder) == ["a.png"]
    assert [note[:60] for note in done.notes] == [
        "1 files are archives inside the archive and were not opened;",
        "2 files are neither images nor tables and were left out: run",
    ]


def test_ignores_what_a_mac_adds(tmp_path: Path) -> None:
    done = unpack(archive(("a.png", PICTURE), ("__MACOSX/._a.png", b"x"), (".DS_Store", b"x")), tmp_path / "new")
    assert (names(done.folder), done.notes) == (["a.png"], ())


def test_understands_backslashes(tmp_path: Path) -> None:
    assert names(unpack(archive(("PR+\\case\\a.png", PICTURE)), tmp_path / "new").folder) == ["PR+/case/a.png"]


def test_keeps_the_first_of_two_equal_names(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        packed = archive(("a.png", PICTURE), ("a.png", b"other"))
    done = unpack(packed, tmp_path / "new")
    assert (done.folder / "a.png").read_bytes() == PICTURE
    assert "twice" in done.notes[0]


def test_control_characters_do_not_reach_the_disk(tmp_path: Path) -> None:
    assert names(unpack(archive(("a\n\x1b[31m.png", PICTURE)), tmp_path / "new").folder) == ["a__[31m.png"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "cannot be read"),
        (b"hello", "cannot be read"),
        (archive(("a.png", PICTURE))[:60], "cannot be read"),
        (archive(("notes.txt", b"x")), "holds no images"),
        (archive((f"{'a' * 230}.png", PICTURE)), "Shorten it"),
        (archive(("a.png", PICTURE), ("a.png/b.png", PICTURE)), "a file and a folder"),
    ],
)
def test_what_is_no_archive_of_images_is_refused_in_words(tmp_path: Path, data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidDataError, match=sentence):
        unpack(data, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_refuses_encryption(tmp_path: Path) -> None:
    data = bytearray(archive(("a.png", PICTURE)))
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.find(mark) + offset] |= 1
    with pytest.raises(InvalidDataError, match="password"):
        unpack(bytes(data), tmp_path / "new")


def test_a_damaged_member_leaves_nothing(tmp_path: Path) -> None:
    data = bytearray(archive(("a.png", PICTURE), ("b.png", np.random.default_rng(0).bytes(5000))))
    data[3000] ^= 255
    with pytest.raises(InvalidDataError):
        unpack(bytes(data), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_never_unpacks_over_something(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(PICTURE)
    with pytest.raises(StorageError, match="not empty"):
        unpack(archive(("a.png", PICTURE)), tmp_path)
    assert names(tmp_path) == ["old.png"]


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        unpack(archive(("a.png", PICTURE)), tmp_path / "new", progress=stop)
    assert not (tmp_path / "new").exists()


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _usage(_: Path) -> object:
    return type("Usage", (), {"free": 10})()


@pytest.mark.parametrize(("name", "value"), [("copyfileobj", _full), ("disk_usage", _usage)])
def test_a_full_disk_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Callable[..., object]
) -> None:
    monkeypatch.setattr(f"core.training.data.unpacking.shutil.{name}", value)
    with pytest.raises(StorageError, match="disk space") as caught:
        unpack(archive(("a.png", PICTURE)), tmp_path / "new")
    assert isinstance(caught.value, AppError)
    assert not (tmp_path / "new").exists()
