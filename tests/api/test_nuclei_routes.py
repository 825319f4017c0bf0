"""Nuclei of one's own entries over the API: tables, pictures, and adjustments that are kept beside the original."""

import csv
import io
import json
import zipfile
from typing import Any

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from core import history
from core.api.quantities import AdjustedPublic
from core.db import Database
from core.labels import Marker
from tests.api.people import Person
from tests.results_by_hand import hand_made_nuclei, hand_made_result

IMAGE = np.random.default_rng(3).integers(0, 256, (96, 128, 3), np.uint8)
LEFT = {"points": [[-9, 0], [64, 0], [64, 96], [-9, 96]]}
CHANGED = {"thresholds": {"weak": 0.2}, "regions": [LEFT], "corrections": {"0": 3, "10": -1}}
FILES = ("nuclei.csv", "nuclei.geojson", "nuclei.png", "adjustments")


def stored(database: Database, person: Person, **options: Any) -> str:
    saved = history.save(database, person.user, hand_made_result(IMAGE, **options), b"original")
    assert saved is not None
    return saved.entry_id


@pytest.fixture
def entry_id(database: Database, pathologist: Person) -> str:
    """One PR analysis of the pathologist's with 100 nuclei, 75 of them stained."""
    nuclei = hand_made_nuclei((0, 1, 2, 3) * 25, size=(128, 96))
    return stored(database, pathologist, marker=Marker.PR, outcome="PR+", nuclei=nuclei)


def rows_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def test_table_geojson_and_picture_of_an_entry(client: TestClient, pathologist: Person, entry_id: str) -> None:
    answers = {name: client.get(f"/api/history/{entry_id}/{name}", headers=pathologist.bearer) for name in FILES}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len(rows_of(answers["nuclei.csv"].content)) == 100
    assert len(answers["nuclei.geojson"].json()["features"]) == 100
    picture = cv2.imdecode(np.frombuffer(answers["nuclei.png"].content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == IMAGE.shape
    assert "_nuclei.csv" in answers["nuclei.csv"].headers["content-disposition"]
    assert answers["nuclei.geojson"].headers["content-type"] == "application/geo+json"


@pytest.mark.parametrize("name", FILES)
def test_nobody_else_gets_any_of_it(client: TestClient, admin: Person, other: Person, entry_id: str, name: str) -> None:
    for person in (admin, other):
        assert client.get(f"/api/history/{entry_id}/{name}", headers=person.bearer).status_code == 404
    assert client.get(f"/api/history/{entry_id}/{name}").status_code == 401


def test_nobody_else_adjusts_it(client: TestClient, other: Person, pathologist: Person, entry_id: str) -> None:
    address = f"/api/history/{entry_id}/adjustments"
    assert client.post(address, json=CHANGED, headers=other.bearer).status_code == 404
    assert client.post(address, json=CHANGED).status_code == 401
    assert client.get(address, headers=pathologist.bearer).json()["at"] == ""


def test_adjusted_figures_are_answered_and_kept_beside_the_original(
    client: TestClient, pathologist: Person, entry_id: str
) -> None:
    address = f"/api/history/{entry_id}/adjustments"
    before = client.get(address, headers=pathologist.bearer).json()
    answer = client.post(address, json=CHANGED, headers=pathologist.bearer)
    assert answer.status_code == 200
    adjusted = AdjustedPublic.model_validate(answer.json())
    assert adjusted.nuclear is not None
    assert (adjusted.nuclear.counted, adjusted.nuclear.left_out, adjusted.nuclear.corrected) == (49, 51, 2)
    assert min(x for x, _ in adjusted.adjustments.regions[0].points) == 0  # cut at the image
    assert client.get(address, headers=pathologist.bearer).json() == answer.json()
    found = client.get(f"/api/history/{entry_id}", headers=pathologist.bearer).json()["quantification"]
    assert found["nuclear"] == before["nuclear"]
    assert found["adjusted"] == answer.json()


def test_files_follow_the_adjustments_or_show_the_original(
    client: TestClient, pathologist: Person, entry_id: str
) -> None:
    client.post(f"/api/history/{entry_id}/adjustments", json=CHANGED, headers=pathologist.bearer)

    def fetched(name: str, **query: str) -> bytes:
        return client.get(f"/api/history/{entry_id}/{name}", params=query, headers=pathologist.bearer).content

    assert sum(row["counted"] == "yes" for row in rows_of(fetched("nuclei.csv"))) == 49
    assert sum(row["counted"] == "yes" for row in rows_of(fetched("nuclei.csv", original="true"))) == 100
    assert len(json.loads(fetched("nuclei.geojson"))["features"]) == 49 + 1
    assert fetched("nuclei.png") != fetched("nuclei.png", original="true")
    archive = zipfile.ZipFile(io.BytesIO(fetched("report.zip")))
    assert archive.read("nuclei.csv") == fetched("nuclei.csv")


def test_an_empty_object_takes_everything_back(client: TestClient, pathologist: Person, entry_id: str) -> None:
    address = f"/api/history/{entry_id}/adjustments"
    before = client.get(address, headers=pathologist.bearer).json()
    client.post(address, json=CHANGED, headers=pathologist.bearer)
    assert client.post(address, json={}, headers=pathologist.bearer).json() == before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"thresholds": {"weak": 0.5, "moderate": 0.4}}, "rise from weak to moderate to strong"),
        ({"thresholds": {"weak": "brown"}}, "`weak` is 'brown'"),
        ({"thresholds": {"week": 0.2}}, "`week`"),
        ({"regions": [{"points": [[200, 0], [300, 0], [300, 90]]}]}, "outside the image, which is 128 x 96"),
        ({"regions": [{"points": [[0, 0], [90, 90], [90, 0], [0, 90]]}]}, "crosses itself"),
        ({"regions": [{"points": [[0, 0], [9, 9]]}]}, "at least 3"),
        ({"regions": [{"points": [[0, 0], [9, "x"], [9, 0]]}]}, "not a pair of numbers"),
        ({"regions": [{"points": [[0, 0], 9, [9, 0]]}]}, "not a pair of numbers"),
        ({"regions": [{"points": []}] * 101}, "at most 100"),
        ({"regions": "all"}, "`regions`"),
        ({"corrections": {"100": 1}}, "no nucleus 100"),
        ({"corrections": {"1": 4}}, "cannot be of class 4"),
        ({"corrections": {"1": 1.5}}, "row numbers and classes"),
        ({"corrections": {"one": 1}}, "row numbers and classes"),
        ({"corrections": [1, 2]}, "row numbers and classes"),
        ({"region": []}, "`region`"),
        ([], "not a JSON object"),
    ],
)
def test_adjustments_that_do_not_fit_are_refused_in_words(
    client: TestClient, pathologist: Person, entry_id: str, body: object, said: str
) -> None:
    address = f"/api/history/{entry_id}/adjustments"
    answer = client.post(address, json=body, headers=pathologist.bearer)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert client.get(address, headers=pathologist.bearer).json()["at"] == ""


def test_a_correction_of_every_nucleus_fits_into_a_request(
    client: TestClient, pathologist: Person, entry_id: str
) -> None:
    address = f"/api/history/{entry_id}/adjustments"
    large = {"corrections": {str(row): 1 for row in range(20_000)}}
    answer = client.post(address, json=large, headers=pathologist.bearer)
    assert "no nucleus 100" in answer.json()["detail"]
    endless = b'{"corrections": {' + b" " * 5_000_000 + b"}}"
    assert client.post(address, content=endless, headers=pathologist.bearer).status_code == 413


@pytest.mark.parametrize("name", FILES)
def test_an_entry_without_nuclei_says_so(
    client: TestClient, database: Database, pathologist: Person, name: str
) -> None:
    without = stored(database, pathologist)
    answer = client.get(f"/api/history/{without}/{name}", headers=pathologist.bearer)
    assert answer.status_code == 404
    assert "Run the analysis of the image again" in answer.json()["detail"]


def test_the_documentation_shows_the_shapes(client: TestClient, pathologist: Person) -> None:
    described = client.get("/api/openapi.json", headers=pathologist.bearer).json()
    path = described["paths"]["/history/{entry_id}/adjustments"]
    body = path["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert set(body) == {"thresholds", "regions", "corrections"}
    assert body["regions"]["items"]["properties"]["points"]["items"]["maxItems"] == 2
    assert "$ref" not in json.dumps(body)
    predict = described["paths"]["/predict-pr"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"nuclei", "operating_point"} <= set(predict["properties"])
    assert {"Quantification", "NuclearPublic", "MembranePublic"} <= set(described["components"]["schemas"])
