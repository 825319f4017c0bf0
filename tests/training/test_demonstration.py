"""Simulated data sets to try a training with."""

import io
import zipfile
from pathlib import Path

import pytest

from core.errors import CancelledError, NotFoundError
from core.training.data import Kind, demonstration, open_data
from core.training.data.demonstration import demonstration_zip


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PR_CASES", "HER2_CASES"):
        monkeypatch.setattr(demonstration, name, 1)
    monkeypatch.setattr(demonstration, "PAIRS", 2)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("key", "kind", "classes", "cases"),
    [
        ("pr", Kind.CLASSES, ("PR-", "PR+"), 2),
        ("her2", Kind.CLASSES, ("0", "1+", "2+", "3+"), 4),
        ("pairs", Kind.PAIRS, (), 2),
    ],
)
def test_makes_a_data_set_that_opens(tmp_path: Path, key: str, kind: Kind, classes: tuple[str, ...], cases: int):
    with zipfile.ZipFile(io.BytesIO(demonstration_zip(key))) as archive:
        archive.extractall(tmp_path)

    data = open_data(tmp_path)

    assert (data.kind, data.classes) == (kind, classes)
    assert data.cases_known or kind is Kind.PAIRS
    assert len({item.case for item in data.items}) == cases


def test_an_unknown_demonstration_gets_a_sentence():
    with pytest.raises(NotFoundError, match="pr, her2, pairs"):
        demonstration_zip("er")


def test_can_be_cancelled():
    def stop(*_: object) -> None:
        raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        demonstration_zip("pr", stop)
