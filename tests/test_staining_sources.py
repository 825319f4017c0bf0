"""H&E, classes and the real IHC are found in what was given."""

import io
import zipfile
from pathlib import Path, PurePath

import pytest

from core.errors import InvalidDataError
from core.staining_sources import gather_folder, gather_uploads, label_of

PNG = b"\x89PNG\r\n\x1a\n"


def packed(*names: str) -> bytes:
    """A ZIP of files whose bytes are their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("place", "label"),
    [
        ("00012_train_2+.png", "2+"),
        ("3+/a.png", "3+"),
        ("set/test/0/a.png", "0"),
        ("PR_pos/HE/a.png", "PR+"),
        ("HE/a.png", ""),
        ("my images/a.png", ""),
        ("a.png", ""),
    ],
)
def test_names_and_folders_say_the_class(place: str, label: str) -> None:
    assert label_of(PurePath(place)) == label


def test_single_files_and_zips_may_be_mixed(tmp_path: Path) -> None:
    given = [("a.png", PNG), ("more.zip", packed("3+/b.png", "notes.txt"))]
    found = gather_uploads(given, [], tmp_path)
    assert [(each.name, each.label, each.read()) for each in found.images] == [
        ("a.png", "", PNG),
        ("b.png", "3+", b"3+/b.png"),
    ]
    assert len(found.notes) == 1 and "notes.txt" in found.notes[0]


def test_folders_he_and_ihc_are_pairs(tmp_path: Path) -> None:
    found = gather_uploads([("set.zip", packed("HE/1.png", "IHC/1.jpg", "HE/2.png", "IHC/9.png"))], [], tmp_path)
    assert [(each.name, each.real and each.real.read()) for each in found.images] == [
        ("1.png", b"IHC/1.jpg"),
        ("2.png", None),
    ]


def test_a_single_real_ihc_belongs_to_a_single_he_whatever_its_name(tmp_path: Path) -> None:
    one = gather_uploads([("a.png", PNG)], [("other.png", b"real")], tmp_path).images[0]
    assert one.real is not None and one.real.read() == b"real"
    two = gather_uploads([("a.png", PNG), ("b.png", PNG)], [("b.png", b"real")], tmp_path).images
    assert [each.real is None for each in two] == [True, False]


def test_a_zip_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="holds no images"):
        gather_uploads([("set.zip", packed("readme.txt"))], [], tmp_path)


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing")
    with pytest.raises(InvalidDataError, match="holds no images"):
        gather_folder(tmp_path)
