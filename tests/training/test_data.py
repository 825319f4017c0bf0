"""Opening data sets: layouts of folders, names, tables, and what is wrong with them."""

from pathlib import Path

import pytest
from pictures_on_disk import write_set

from core.errors import InvalidDataError
from core.training.config import Recipe
from core.training.data import DataSet, Item, Kind, Subset, check_classes, open_data


def brief(data: DataSet) -> list[tuple[str, str, str, Subset | None]]:
    """File name, class, case and subset of every item."""
    return [(item.path.name, item.label, item.case, item.subset) for item in data.items]


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a table beside its images."""
    path = folder / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_one_folder_per_class(tmp_path: Path) -> None:
    data = open_data(write_set(tmp_path, ["PR+/a.png", "PR-/b.jpg"]))
    assert data == DataSet(
        tmp_path,
        Kind.CLASSES,
        (Item(tmp_path / "PR+/a.png", "PR+", "a"), Item(tmp_path / "PR-/b.jpg", "PR-", "b")),
        ("PR-", "PR+"),
        cases_known=False,
    )


@pytest.mark.parametrize(
    ("folders", "classes"),
    [
        (("0", "1", "2", "3"), ("0", "1+", "2+", "3+")),
        (("3+", "0", "2+", "1+"), ("0", "1+", "2+", "3+")),
        (("PR_pos", "PR_neg"), ("PR-", "PR+")),
        (("Positive", "negative"), ("PR-", "PR+")),
        (("pos", "neg"), ("PR-", "PR+")),
        (("tumour", "10", "9"), ("9", "10", "tumour")),
        (("0", "1", "benign"), ("0", "1", "benign")),
    ],
)
def test_class_names_get_one_spelling_and_the_order_of_the_card(
    tmp_path: Path, folders: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    data = open_data(write_set(tmp_path, [f"{folder}/a{number}.png" for number, folder in enumerate(folders)]))
    assert data.classes == classes
    assert bool(data.notes) == (set(folders) != set(classes))


def test_subset_folders_above_the_classes(tmp_path: Path) -> None:
    data = open_data(write_set(tmp_path, ["train/0/a.png", "train/3/b.png", "valid/0/c.png", "Test/3/d.png"]))
    assert brief(data) == [
        ("d.png", "3+", "d", Subset.TEST),
        ("a.png", "0", "a", Subset.TRAIN),
        ("b.png", "3+", "b", Subset.TRAIN),
        ("c.png", "0", "c", Subset.VAL),
    ]


def test_names_of_bci_say_everything(tmp_path: Path) -> None:
    data = open_data(write_set(tmp_path, ["00012_train_2+.png", "00013_test_0.png"]))
    assert brief(data) == [
        ("00012_train_2+.png", "2+", "00012", Subset.TRAIN),
        ("00013_test_0.png", "0", "00013", Subset.TEST),
    ]
    assert data.cases_known


def test_case_from_the_name_or_from_folders_inside_every_class(tmp_path: Path) -> None:
    named = open_data(write_set(tmp_path / "a", ["x/p7__1.png", "y/p8__1.png"]))
    nested = open_data(write_set(tmp_path / "b", ["x/p7/1.png", "y/p8/deep/1.png"]))
    assert [item.case for item in named.items] == [item.case for item in nested.items] == ["p7", "p8"]
    assert named.cases_known and nested.cases_known


def test_folders_inside_one_class_only_are_no_cases(tmp_path: Path) -> None:
    data = open_data(write_set(tmp_path, ["x/old/1.png", "x/old/2.png", "y/3.png"]))
    assert [item.case for item in data.items] == ["1", "2", "3"]
    assert not data.cases_known


def test_equal_names_in_two_classes_are_not_one_case(tmp_path: Path) -> None:
    data = open_data(write_set(tmp_path, ["x/1.png", "y/1.png"]))
    assert [item.case for item in data.items] == ["x/1.png", "y/1.png"]


def test_a_case_known_for_some_images_only_is_said(tmp_path: Path) -> None:
    data = open_data(write_set(tmp_path, ["x/p7__1.png", "y/2.png"]))
    assert not data.cases_known
    assert "The case of 1 of 2 images is unknown" in data.notes[0]


def test_looks_through_the_folder_that_a_zip_wraps_around(tmp_path: Path) -> None:
    data = open_data(write_set(tmp_path, ["upload/my set/PR+/a.png", "upload/my set/PR-/b.png", "upload/.DS_Store"]))
    assert (data.classes, data.notes) == (("PR-", "PR+"), ())


def test_says_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    names = ["x/a.png", "y/b.png", "x/Thumbs.db", "x/notes.txt", "loose.png", "__MACOSX/x/._a.png"]
    assert open_data(write_set(tmp_path, names)).notes == (
        "1 images lie in no class folder and were left out: loose.png.",
        "The folder empty holds no images and was left out.",
        "1 files are no images and were left out: notes.txt.",
    )


def test_pairs_by_equal_names_whatever_their_format(tmp_path: Path) -> None:
    names = ["HE/1_test_0.png", "IHC/1_test_0.jpg", "HE/p__2.png", "IHC/p__2.png", "HE/alone.png"]
    data = open_data(write_set(tmp_path, names))
    assert data.kind is Kind.PAIRS
    assert [(item.path.name, item.partner.name if item.partner else "", item.case) for item in data.items] == [
        ("1_test_0.png", "1_test_0.jpg", "1"),
        ("p__2.png", "p__2.png", "p"),
    ]
    assert data.notes == ("1 images have no partner of the same name and were left out: alone.png.",)


@pytest.mark.parametrize("layout", ["{side}/{subset}/{name}.png", "{subset}/{side}/{name}.png"])
def test_pairs_in_subsets(tmp_path: Path, layout: str) -> None:
    names = [
        layout.format(side=side, subset=subset, name=name)
        for side in ("HE", "IHC")
        for subset, name in (("train", "a"), ("test", "b"))
    ]
    data = open_data(write_set(tmp_path, names))
    assert sorted(brief(data)) == [("a.png", "", "a", Subset.TRAIN), ("b.png", "", "b", Subset.TEST)]


def test_real_data_sets_open(shared_data: Path) -> None:
    pairs, cores, mist = (open_data(shared_data / name) for name in ("bci", "her2_cores", "mist"))
    assert (len(pairs.items), pairs.kind, pairs.cases_known) == (20, Kind.PAIRS, True)
    assert (len(cores.items), cores.classes) == (8, ("0", "1+", "2+", "3+"))
    assert len({item.case for item in mist.items}) == 3


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "No images were found"),
        (["readme.txt"], "No images were found"),
        (["a.png", "b.png"], "2 images without classes"),
        (["x/notes.txt"], "No images were found"),
    ],
)
def test_nothing_to_train_on_is_a_sentence(tmp_path: Path, names: list[str], sentence: str) -> None:
    with pytest.raises(InvalidDataError, match=sentence):
        open_data(write_set(tmp_path, names))


def test_what_is_no_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(InvalidDataError, match="neither a folder nor a CSV"):
        open_data(tmp_path / "a.zip")
    with pytest.raises(InvalidDataError, match="There is no folder"):
        open_data(tmp_path / "gone")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_as_spreadsheets_write_them(tmp_path: Path, encoding: str, delimiter: str) -> None:
    write_set(tmp_path, ["images/é.png", "images/b.png"])
    rows = [
        ("Path", "Class", "Case", "Split"),
        ("images/é.png", "0", "Müller", "train"),
        ("images\\b.png", "3", "", ""),
    ]
    data = open_data(table(tmp_path, "\r\n".join(delimiter.join(row) for row in rows), encoding))
    assert brief(data) == [("é.png", "0", "Müller", Subset.TRAIN), ("b.png", "3+", "b", None)]


def test_a_folder_with_one_table_is_that_table(tmp_path: Path) -> None:
    write_set(tmp_path, ["images/a.png", "images/b.png"])
    table(tmp_path, "path,label,case\nimages/a.png,x,p1\nimages/b.png,y,p2\n")
    data = open_data(tmp_path)
    assert (brief(data), data.cases_known) == ([("a.png", "x", "p1", None), ("b.png", "y", "p2", None)], True)


def test_a_table_about_something_else_does_not_hide_the_classes(tmp_path: Path) -> None:
    write_set(tmp_path, ["x/a.png", "y/b.png"])
    table(tmp_path, "patient,age\n1,60\n")
    assert open_data(tmp_path).classes == ("x", "y")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("path,case\na.png,1\n", "no column label"),
        ("label,case\nx,1\n", "no column path"),
        ("", "no column path"),
        ("path,label\n", "No images were found"),
        ("path,label\n../secret.png,x\n", "Line 2 .* lies outside"),
        ("path,label\n/etc/a.png,x\n", "lies outside"),
        ("path,label\nC:\\scans\\a.png,x\n", "lies outside"),
        ("path,label\n..\\..\\a.png,x\n", "lies outside"),
        ("path,label\na.png,x\nb.png,y\n", "2 of the 2 files .* do not exist: a.png, b.png"),
        ("path,label,split\na.png,x,holdout\n", "the split 'holdout'"),
        ("path,label\na.png,x\n./a.png,y\n", "names ./a.png twice, as x and as y"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InvalidDataError, match=sentence):
        open_data(table(tmp_path, text))


def test_a_few_missing_files_and_incomplete_lines_are_noted(tmp_path: Path) -> None:
    write_set(tmp_path, [f"{number}.png" for number in range(9)])
    lines = [f"{number}.png,{'xy'[number % 2]}" for number in range(10)]
    data = open_data(table(tmp_path, "path,label\n" + "\n".join([*lines, "0.png,x", "8.png,", ",,"])))
    assert len(data.items) == 9
    assert data.notes == (
        "1 lines of list.csv lack a path or a label and were left out.",
        "1 lines of list.csv repeat an image and were left out.",
        "1 of 10 listed files do not exist and were left out: 9.png.",
    )


def test_classes_that_no_card_has_are_said(tmp_path: Path) -> None:
    data = open_data(write_set(tmp_path, ["ER/a.png", "HER2/b.png", "PR/c.png"]))
    assert "have the classes ER, HER2, PR" in check_classes(data, Recipe.SIMPLE_CNN)
    assert check_classes(open_data(write_set(tmp_path / "pr", ["pos/a.png", "neg/b.png"])), Recipe.SIMPLE_CNN) == ""


def test_recipes_for_pairs_and_for_classes_are_not_mixed_up(tmp_path: Path) -> None:
    classes = open_data(write_set(tmp_path / "a", ["x/a.png", "y/b.png"]))
    pairs = open_data(write_set(tmp_path / "b", ["HE/a.png", "IHC/a.png"]))
    assert check_classes(pairs, Recipe.VIRTUAL_STAIN) == ""
    with pytest.raises(InvalidDataError, match="learns from pairs"):
        check_classes(classes, Recipe.VIRTUAL_STAIN)
    with pytest.raises(InvalidDataError, match="these images are pairs"):
        check_classes(pairs, Recipe.IHCNET)


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    write_set(tmp_path, ["x/a.png", "y/b.png"])
    (tmp_path / "x" / "again").symlink_to(tmp_path / "x")
    assert len(open_data(tmp_path).items) == 2
