"""Scores over the API: documented fields, the history behind them, and refusals in words."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from core.api.schemas import PredictAnswer
from core.config import Settings
from core.db import Database
from core.db.settings import AppSettings, save_app_settings
from core.labels import CAM_LAYERS
from tests.api.people import Person

FIELDS = {
    "score", "confidence", "probabilities", "prediction_set", "stain", "stain_source", "tiles", "gradcam",
    "pseudo_color", "synthetic_ihc", "quantification", "quality", "warnings", "provenance", "id",
}  # fmt: skip


@pytest.fixture(scope="session")
def ihc(shared_data: Path) -> bytes:
    """One real HER2 IHC field of 1024 px."""
    return sorted((shared_data / "bci" / "IHC").glob("*3+.png"))[0].read_bytes()


@pytest.fixture(scope="session")
def he(shared_data: Path) -> bytes:
    """One real H&E field of 1024 px, cut to 400 px."""
    path = sorted((shared_data / "bci" / "HE").glob("*3+.png"))[0]
    done, png = cv2.imencode(".png", cv2.imread(str(path))[:400, :400])
    assert done
    return bytes(png)


def decoded(text: str) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def test_a_real_ihc_image_is_scored_and_kept(client: TestClient, pathologist: Person, ihc: bytes) -> None:
    answer = client.post("/api/predict-her2", files={"file": ("core 7.png", ihc)}, headers=pathologist.bearer)
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) >= FIELDS
    assert found["score"] in ("0", "1+", "2+", "3+")
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert (found["stain_source"], found["synthetic_ihc"]) == ("real", None)
    assert set(found["gradcam"]) == set(CAM_LAYERS)
    assert decoded(found["gradcam"]["denseblock3"]).shape == decoded(found["pseudo_color"]).shape
    listed = client.get("/api/history", headers=pathologist.bearer).json()
    assert [(entry["id"], entry["name"]) for entry in listed["entries"]] == [(found["id"], "core 7.png")]
    assert listed["count"] == 1


def test_he_is_scored_through_a_marked_virtual_stain(client: TestClient, pathologist: Person, he: bytes) -> None:
    fields = {"stain": "he", "layers": "denseblock3", "store": "false", "scale": "20x"}
    answer = client.post("/api/predict-her2", files={"image": he}, data=fields, headers=pathologist.bearer)
    found = answer.json()
    assert (found["stain"], found["stain_source"], found["id"]) == ("he", "virtual", None)
    assert decoded(found["synthetic_ihc"]).ndim == 3
    assert "virtual-stain" in {warning["code"] for warning in found["warnings"]}
    assert client.get("/api/history", headers=pathologist.bearer).json()["count"] == 0


def test_pr_has_a_status(client: TestClient, pathologist: Person, ihc: bytes) -> None:
    fields = {"explain": "false", "stain": "ihc"}
    answer = client.post("/api/predict-pr", files={"file": ihc}, data=fields, headers=pathologist.bearer)
    found = PredictAnswer.model_validate({"score": None} | answer.json())
    assert found.status is not None
    assert found.gradcam == {}
    measured = found.quantification
    assert measured is not None
    assert measured.nuclear is not None
    assert measured.nuclei is not None
    assert measured.nuclear.counted == measured.nuclei.found == measured.nuclei_counted
    assert measured.nuclear.percent_positive.value == measured.positive_nuclei_percent


@pytest.mark.parametrize("nuclei", ["classical", "none"])
def test_the_method_that_finds_nuclei_can_be_chosen(
    client: TestClient, pathologist: Person, ihc: bytes, nuclei: str
) -> None:
    fields = {"explain": "false", "stain": "ihc", "nuclei": nuclei, "operating_point": "least index bias"}
    answer = client.post("/api/predict-pr", files={"file": ihc}, data=fields, headers=pathologist.bearer)
    found = answer.json()["quantification"]["nuclei"]
    assert (found and found["method"]) == (nuclei if nuclei == "classical" else None)
    table = client.get(f"/api/history/{answer.json()['id']}/nuclei.csv", headers=pathologist.bearer)
    assert table.status_code == (200 if nuclei == "classical" else 404)


def test_a_researcher_stains_virtually_and_a_pathologist_may_not(
    client: TestClient, admin: Person, pathologist: Person, he: bytes
) -> None:
    answer = client.post("/api/stain", files={"file": he}, headers=admin.bearer)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (400, 400, 3)
    assert (answer.headers["X-Stain-Source"], answer.headers["X-Seam-Index"]) == ("virtual", "none")
    refused = client.post("/api/stain", files={"file": he}, headers=pathologist.bearer)
    assert refused.status_code == 403
    assert "researcher" in refused.json()["detail"]


def test_a_cat_gets_a_warning_and_no_score(client: TestClient, pathologist: Person) -> None:
    from skimage import data

    photo = cv2.imencode(".png", cv2.cvtColor(data.chelsea(), cv2.COLOR_RGB2BGR))[1].tobytes()
    answer = client.post("/api/predict-her2", files={"file": ("cat.png", photo)}, headers=pathologist.bearer)
    found = answer.json()
    assert (answer.status_code, found["score"], found["confidence"]) == (200, "not scored", None)
    assert found["stain"] == "neither"
    assert found["warnings"]


def test_the_same_image_twice_is_one_entry(client: TestClient, pathologist: Person, ihc: bytes) -> None:
    def post() -> str | None:
        fields = {"explain": "false", "stain": "ihc"}
        answer = client.post("/api/predict-pr", files={"file": ihc}, data=fields, headers=pathologist.bearer)
        return answer.json()["id"]

    assert post() == post() is not None


def test_a_result_that_cannot_be_stored_is_answered_all_the_same(
    client: TestClient, settings: Settings, pathologist: Person, ihc: bytes
) -> None:
    settings.data_dir.joinpath("history").write_text("a file where the folder should be", encoding="utf-8")
    fields = {"explain": "false", "stain": "ihc"}
    answer = client.post("/api/predict-pr", files={"file": ihc}, data=fields, headers=pathologist.bearer)
    assert (answer.status_code, answer.json()["id"]) == (200, None)
    assert "not-stored" in {warning["code"] for warning in answer.json()["warnings"]}
    assert client.get("/api/history", headers=pathologist.bearer).json()["count"] == 0


@pytest.mark.parametrize(
    ("files", "fields", "status", "words"),
    [
        ({"file": ("empty.png", b"")}, {}, 422, "empty"),
        ({"file": ("note.png", b"this is text")}, {}, 422, "note.png"),
        ({"file": ("dot.png", cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes())}, {}, 422, "32"),
        ({"other": ("a.png", b"x")}, {}, 422, "no file"),
        ({"file": ("a.png", b"x")}, {"stain": "blue"}, 422, "'auto', 'he' or 'ihc'"),
        ({"file": ("a.png", b"x")}, {"layers": "conv9"}, 422, "denseblock4"),
        ({"file": ("a.png", b"x")}, {"explain": "perhaps"}, 422, "explain"),
        ({"file": ("a.png", b"x")}, {"nuclei": "guessed"}, 422, "'learned', 'classical' or 'none'"),
        ({"file": ("a.png", b"x")}, {"operating_point": "best"}, 422, "'best F1' or 'least index bias'"),
    ],
)
def test_bad_input_is_refused_in_words(
    client: TestClient,
    pathologist: Person,
    files: dict[str, tuple[str, bytes]],
    fields: dict[str, str],
    status: int,
    words: str,
) -> None:
    answer = client.post("/api/predict-her2", files=files, data=fields, headers=pathologist.bearer)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert client.get("/api/history", headers=pathologist.bearer).json()["count"] == 0


def test_what_is_no_form_is_refused(client: TestClient, pathologist: Person) -> None:
    answer = client.post("/api/predict-her2", content=b"\x89PNG", headers=pathologist.bearer)
    assert answer.status_code == 415
    damaged = pathologist.bearer | {"Content-Type": "multipart/form-data"}
    assert client.post("/api/predict-her2", content=b"x", headers=damaged).status_code == 422


def test_an_upload_over_the_limit_is_cut_off(client: TestClient, database: Database, admin: Person) -> None:
    save_app_settings(database, admin.user, AppSettings(upload_limit_mb=1))
    announced = client.post("/api/predict-her2", files={"file": b"x" * 2_000_000}, headers=admin.bearer)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    sent = []

    def trickle():  # noqa: ANN202 - no length in the header: only counting finds out
        yield head
        for _ in range(100):
            sent.append(100_000)
            yield b"x" * 100_000

    multipart = admin.bearer | {"Content-Type": "multipart/form-data; boundary=b"}
    streamed = client.post("/api/predict-her2", content=trickle(), headers=multipart)
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert "1 MB" in answer.json()["detail"]


def test_a_strange_file_name_does_no_harm(client: TestClient, pathologist: Person, ihc: bytes) -> None:
    name = "../../" + "Gewebe ß 組織 " * 30 + '".png'
    fields = {"explain": "false"}
    found = client.post(
        "/api/predict-her2", files={"file": (name, ihc)}, data=fields, headers=pathologist.bearer
    ).json()
    assert len(found["name"]) <= 120
    assert "/" not in found["name"]
    report = client.get(f"/api/history/{found['id']}/report.pdf", headers=pathologist.bearer)
    assert report.content.startswith(b"%PDF")
    assert report.headers["content-disposition"].isascii()
