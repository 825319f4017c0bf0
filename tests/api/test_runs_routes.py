"""Training runs over the API: one's own, checked before they wait, controlled while they train."""

import json
import sys
import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from core.db import Database
from core.jobs import get_run, list_runs, processes, tick
from core.jobs.records import read_trainer
from core.labels import Role
from core.models.registry import CARDS
from core.models.weights import save_safetensors
from tests.api.people import Person, person

RUN = {"recipe": "simple-cnn", "name": "first", "config": {"epochs": 1000, "batch_size": 4}}


@pytest.fixture
def researcher(database: Database, admin: Person) -> Person:  # noqa: ARG001
    return person(database, "Rita", Role.RESEARCHER)


@pytest.fixture(autouse=True)
def launcher(monkeypatch: pytest.MonkeyPatch, admin: Person) -> Iterator[None]:
    """A launcher that starts a trainer without networks; whatever it started is ended."""
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-m", "tests.jobs.fake_trainer"))
    yield
    for run in list_runs(admin.user):
        trainer = read_trainer(run.folder)
        if trainer is not None:
            processes.end(trainer, force=True)
            processes.exit_code(trainer)


@pytest.fixture
def run_id(client: TestClient, researcher: Person, data: str) -> str:
    """A run of the researcher's that trains."""
    answer = client.post("/api/runs", json=RUN | {"data": data}, headers=researcher.bearer)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def wait_for(client: TestClient, who: Person, run_id: str, state: str) -> dict[str, object]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        tick()
        found: dict[str, object] = client.get(f"/api/runs/{run_id}", headers=who.bearer).json()
        if found["state"] == state:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_a_run_is_started_watched_stopped_resumed_and_deleted(
    client: TestClient, researcher: Person, run_id: str
) -> None:
    headers = researcher.bearer
    found = wait_for(client, researcher, run_id, "running")
    assert (found["name"], found["owner"], found["recipe"], found["device"]) == ("first", "Rita", "simple-cnn", "cpu")
    assert found["config"]["batch_size"] == 4
    assert client.delete(f"/api/runs/{run_id}", headers=headers).status_code == 409

    assert client.post(f"/api/runs/{run_id}/stop", headers=headers).status_code == 200
    wait_for(client, researcher, run_id, "stopped")
    assert client.post(f"/api/runs/{run_id}/resume", json={"extra_epochs": 1}, headers=headers).json()["epochs"] == 1001
    client.post(f"/api/runs/{run_id}/stop", json={"finish": False}, headers=headers)
    wait_for(client, researcher, run_id, "stopped")
    assert client.delete(f"/api/runs/{run_id}", headers=headers).json() == {"id": run_id}
    assert client.get("/api/runs", headers=headers).json() == []


def test_the_numbers_are_read_in_parts(client: TestClient, researcher: Person, run_id: str) -> None:
    folder = get_run(researcher.user, run_id).folder
    folder.add_stats({"epoch": 1, "loss": float("nan")})
    folder.write_json("evaluation.json", {"kind": "classifier", "ece": float("inf")})
    address = f"/api/runs/{run_id}"
    first = client.get(f"{address}/stats?limit=1", headers=researcher.bearer).json()
    assert first["next"] == len(first["lines"]) == 1
    rest = client.get(f"{address}/stats?skip=1", headers=researcher.bearer).json()
    assert rest["next"] == 1 + len(rest["lines"])
    assert client.get(address, headers=researcher.bearer).json()["evaluation"]["ece"] is None
    assert client.get(f"{address}/stats?skip=-1", headers=researcher.bearer).status_code == 422


def test_only_the_owner_and_administrators_see_it(
    client: TestClient, database: Database, admin: Person, pathologist: Person, run_id: str
) -> None:
    other = person(database, "Ron", Role.RESEARCHER)
    assert client.get("/api/runs", headers=other.bearer).json() == []
    assert client.get("/api/runs", headers=admin.bearer).json()[0]["id"] == run_id
    for method, part in (("GET", ""), ("GET", "/stats"), ("POST", "/stop"), ("POST", "/resume"), ("DELETE", "")):
        assert client.request(method, f"/api/runs/{run_id}{part}", headers=other.bearer).status_code == 404
        assert client.request(method, f"/api/runs/{run_id}{part}", headers=pathologist.bearer).status_code == 403
    assert client.post("/api/runs", json=RUN, headers=pathologist.bearer).status_code == 403


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"config": {"epochs": 0}}, 422, "epochs"),
        ({"config": {"epoch": 5}}, 422, "epoch"),
        ({"config": {"clip": None, "learning_rate": 1e400}}, 422, "JSON"),
        ({"config": {"recipe": "medsyngan", "epochs": 3}}, 200, ""),
        ({"config": []}, 422, "config"),
        ({"recipe": "resnet"}, 422, "recipe"),
        ({"recipe": "virtual-stain", "config": {}}, 422, "pairs"),
        ({"data": "/no/such/folder"}, 422, "/no/such/folder"),
        ({"data": "\0"}, 422, "path"),
        ({"data": "20261121-000000-abcdef"}, 404, "data set"),
        ({"data": 5}, 422, "data"),
        ({"priority": 101}, 422, "priority"),
        ({"priority": 1}, 403, "administrators"),
        ({"name": "\ud800"}, 422, "JSON"),
        ({"name": "x" * 70_000}, 413, "large"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(
    client: TestClient, researcher: Person, data: str, change: dict[str, object], status: int, said: str
) -> None:
    body = json.dumps(RUN | {"data": data} | change)  # the client's own would refuse some of it
    answer = client.post("/api/runs", content=body, headers=researcher.bearer)
    assert answer.status_code == status
    assert said in answer.json().get("detail", "")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 60_000, b'{"recipe": NaN}'])
def test_a_body_that_is_no_object_is_refused(client: TestClient, researcher: Person, body: bytes) -> None:
    answer = client.post("/api/runs", content=body, headers=researcher.bearer)
    assert answer.status_code == 422
    assert "JSON" in answer.json()["detail"]


@pytest.mark.parametrize("made_up", ["..%2F..%2Fetc%2Fpasswd", "%00", "x" * 3000, "20261121-000000-abcdef"])
def test_a_made_up_id_is_not_found(client: TestClient, admin: Person, made_up: str) -> None:
    assert client.get(f"/api/runs/{made_up}", headers=admin.bearer).status_code == 404


def test_the_documentation_shows_the_fields_of_a_new_run(client: TestClient) -> None:
    page = client.get("/api/docs").text
    assert "POST /api/runs" in page
    assert "medsyngan" in page and "Folder or CSV table" in page
    assert "-d" in page


def test_the_weights_of_a_run_are_used_and_taken_back(
    client: TestClient, researcher: Person, pathologist: Person, run_id: str
) -> None:
    headers, use = researcher.bearer, f"/api/runs/{run_id}/use"
    assert client.post(use, headers=pathologist.bearer).status_code == 403
    assert client.post(use, headers=headers).status_code == 409  # it still trains
    client.post(f"/api/runs/{run_id}/stop", headers=headers)
    wait_for(client, researcher, run_id, "stopped")
    folder = get_run(researcher.user, run_id).folder
    before = client.get("/api/health").json()["models"]["simple_cnn"]
    sha256 = save_safetensors(CARDS["simple_cnn"].build().state_dict(), folder.weights)

    assert client.post(use, headers=headers).json() == {"model": "simple_cnn", "sha256": sha256, "notes": []}
    assert client.get("/api/health").json()["models"]["simple_cnn"] == sha256
    back = "/api/models/simple_cnn/roll-back"
    assert client.post(back, headers=pathologist.bearer).status_code == 403
    assert client.post(back, headers=headers).json()["sha256"] == before
    assert client.post(back, headers=headers).status_code == 409
    assert client.post("/api/models/none/roll-back", headers=headers).status_code == 404
    (folder.weights).write_bytes(b"damaged")
    assert client.post(use, headers=headers).status_code == 409
