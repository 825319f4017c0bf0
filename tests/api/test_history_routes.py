"""One's own history and reports; nothing of anybody else."""

import io
import zipfile

import numpy as np
import pytest
from starlette.testclient import TestClient

from core import history
from core.db import Database
from tests.api.people import Person
from tests.results_by_hand import hand_made_result

IMAGE = np.random.default_rng(3).integers(0, 256, (96, 128, 3), np.uint8)
PARTS = ("", "/report.pdf", "/report.json", "/report.zip", "/thumbnail.jpg")


@pytest.fixture
def entry_id(database: Database, pathologist: Person) -> str:
    """One stored analysis of the pathologist's."""
    saved = history.save(database, pathologist.user, hand_made_result(IMAGE), b"original")
    assert saved is not None
    history.record_own_score(database, pathologist.user, saved.entry_id, "2+", "membrane faint")
    return saved.entry_id


def test_reports_of_an_entry(client: TestClient, pathologist: Person, entry_id: str) -> None:
    answers = {part: client.get(f"/api/history/{entry_id}{part}", headers=pathologist.bearer) for part in PARTS}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert answers[""].json()["own"]["comment"] == "membrane faint"
    assert answers[""].json()["pseudo_color"] is None
    assert answers["/report.json"].json()["pseudo_color"]
    assert answers["/report.pdf"].content.startswith(b"%PDF")
    assert answers["/thumbnail.jpg"].content.startswith(b"\xff\xd8")
    assert "report.pdf" in zipfile.ZipFile(io.BytesIO(answers["/report.zip"].content)).namelist()
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers.values())


@pytest.mark.parametrize("part", PARTS)
def test_nobody_else_gets_any_of_it(client: TestClient, admin: Person, other: Person, entry_id: str, part: str) -> None:
    for person in (other, admin):
        answer = client.get(f"/api/history/{entry_id}{part}", headers=person.bearer)
        assert answer.status_code == 404
        assert set(answer.json()) == {"detail"}
    assert client.get(f"/api/history/{entry_id}{part}").status_code == 401


@pytest.mark.usefixtures("entry_id")
def test_the_list_is_filtered(client: TestClient, pathologist: Person, other: Person) -> None:
    def listed(person: Person, **query: str) -> int:
        return client.get("/api/history", params=query, headers=person.bearer).json()["count"]

    assert listed(pathologist) == 1
    assert listed(pathologist, marker="her2", text="faint", virtual="false") == 1
    assert listed(pathologist, marker="pr") == 0
    assert listed(other) == 0


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "offset=-1", "marker=er", "sort=random", "date_from=yesterday", "virtual=maybe"]
)
def test_a_wrong_filter_is_refused_in_words(client: TestClient, pathologist: Person, query: str) -> None:
    answer = client.get(f"/api/history?{query}", headers=pathologist.bearer)
    assert answer.status_code == 422
    assert query.split("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    "query", ["date_to=9999-12-31", "date_from=0001-01-01", "text=%00", "text=%ed%a0%80", "offset=999999999"]
)
def test_an_odd_filter_finds_nothing_or_everything(client: TestClient, pathologist: Person, query: str) -> None:
    assert client.get(f"/api/history?{query}", headers=pathologist.bearer).json() == {"count": 0, "entries": []}


@pytest.mark.parametrize("entry_id", ["..%2F..%2Fetc%2Fpasswd", "%00", "x" * 3000, "' OR 1=1 --"])
def test_a_made_up_id_is_not_found(client: TestClient, pathologist: Person, entry_id: str) -> None:
    assert client.get(f"/api/history/{entry_id}", headers=pathologist.bearer).status_code == 404
