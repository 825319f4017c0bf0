"""CSV that opens well in a spreadsheet and runs nothing there."""

import csv
import io

import pytest

from core.spreadsheet import BOM, to_csv


def cell_of(value: object) -> str:
    text = to_csv(["column"], [[value]])
    assert text.startswith(BOM)
    return next(iter(list(csv.reader(io.StringIO(text.removeprefix(BOM))))[1]), "")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("1+", "1+"),
        ("3+", "3+"),
        ("-", "-"),
        ("PR-", "PR-"),
        ('a, "b"\nc', 'a, "b"\nc'),
        ("Größe 測定", "Größe 測定"),
        (-0.5, "-0.5"),
        (None, ""),
    ],
)
def test_neutralises_formulas_and_leaves_scores(value: object, cell: str) -> None:
    assert cell_of(value) == cell
