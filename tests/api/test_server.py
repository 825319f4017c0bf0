"""What is open, what is closed, and what comes back when something breaks."""

import re

import pytest
from starlette.testclient import TestClient

from core import __version__
from core.api.create_app import create_app
from tests.api.people import Person

CLOSED = [
    ("POST", "/api/predict-her2"),
    ("POST", "/api/predict-pr"),
    ("POST", "/api/stain"),
    ("POST", "/api/sample"),
    ("GET", "/api/sample/exports/abc"),
    ("GET", "/api/history"),
    ("GET", "/api/history/abc"),
    ("GET", "/api/history/abc/report.pdf"),
    ("GET", "/api/history/abc/report.json"),
    ("GET", "/api/history/abc/report.zip"),
    ("GET", "/api/history/abc/thumbnail.jpg"),
    ("GET", "/api/history/abc/nuclei.csv"),
    ("GET", "/api/history/abc/nuclei.geojson"),
    ("GET", "/api/history/abc/nuclei.png"),
    ("GET", "/api/history/abc/adjustments"),
    ("POST", "/api/history/abc/adjustments"),
    ("GET", "/api/models"),
    ("GET", "/api/runs"),
    ("POST", "/api/runs"),
    ("GET", "/api/runs/abc"),
    ("DELETE", "/api/runs/abc"),
    ("GET", "/api/runs/abc/stats"),
    ("POST", "/api/runs/abc/stop"),
    ("POST", "/api/runs/abc/resume"),
    ("POST", "/api/runs/abc/use"),
    ("POST", "/api/models/abc/roll-back"),
    ("POST", "/api/compat/predict"),
    ("POST", "/api/compat/GANpredict"),
    ("GET", "/media/0123.png"),
    ("GET", "/_stcore/upload_file/session/file"),
]
OPEN = {"/health", "/compat/health"}


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no"}, {"Cookie": "workbench_session=no"}])
def test_signed_out_nothing_is_reachable(client: TestClient, method: str, path: str, headers: dict[str, str]) -> None:
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()) == {"detail"}


def test_no_route_was_forgotten() -> None:
    described = create_app().openapi()["paths"]
    listed = {path.removeprefix("/api") for _, path in CLOSED}
    assert {re.sub(r"{\w+}", "abc", path) for path in described} - OPEN <= listed


def test_another_site_cannot_use_the_browsers_cookie(client: TestClient) -> None:
    client.post("/auth/setup", data={"name": "ada", "password": "a quiet morning in the lab"})
    abroad = {"Origin": "https://elsewhere.example"}
    assert client.post("/api/predict-her2", files={"file": b"x"}, headers=abroad).status_code == 403
    assert client.post("/api/predict-her2", files={"file": b"x"}).status_code == 422


def test_health_tells_version_backend_and_weights(client: TestClient) -> None:
    found = client.get("/api/health").json()
    assert (found["status"], found["version"], found["device"]) == ("ok", __version__, "cpu")
    assert len(found["models"]["ihcnet"]) == 64
    assert found["models"]["medsyngan_g"] is None


def test_models_say_what_they_are_and_why_one_is_missing(client: TestClient, pathologist: Person) -> None:
    found = {model["name"]: model for model in client.get("/api/models", headers=pathologist.bearer).json()}
    assert found["ihcnet"]["labels"] == ["0", "1+", "2+", "3+"]
    assert found["ihcnet"]["error"] is None
    assert found["medsyngan_g"]["weights_sha256"] is None
    assert found["medsyngan_g"]["error"]


def test_the_documentation_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/api/docs").text
    assert "POST /api/predict-her2" in page
    assert "<script" not in page
    assert page.count("https://") == 0
    assert client.get("/api/openapi.json").json()["openapi"].startswith("3.")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/api/nothing", 404), ("GET", "/api/predict-her2", 405)]
)
def test_a_wrong_address_is_answered_in_words(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert "/api/docs" in answer.json()["detail"]


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/api/health", "/auth/accept", "/media/x"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


def test_a_mistake_of_ours_shows_no_trace() -> None:
    app = create_app()

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    answer = TestClient(app, raise_server_exceptions=False).get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert set(answer.json()) == {"detail"}
