"""The published phone application's requests, as it sends them."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.api.people import Person

FIELDS = {
    "pred_label", "confidence", "probs", "probs_chart_b64", "orig_b64", "origResizedB64", "gradcam_layers",
    "primary_gradcam_layer", "primary_gradcam_b64", "pseudo_b64", "wsi_box",
}  # fmt: skip
LAYERS = ["conv0", "denseblock1", "denseblock2", "denseblock3", "denseblock4"]
PREDICT = "/api/compat/predict"
GAN = "/api/compat/GANpredict"


@pytest.fixture(scope="session")
def core_jpeg(shared_data: Path) -> bytes:
    """The middle of a real HER2 core: 1500 x 600 px, more than one tile."""
    path = sorted((shared_data / "her2_cores" / "3+").glob("*.jpg"))[0]
    done, jpeg = cv2.imencode(".jpg", cv2.imread(str(path))[2400:3000, 2000:3500])
    assert done
    return bytes(jpeg)


def size(text: str) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[1], image.shape[0]


def test_predict_answers_field_for_field(client: TestClient, pathologist: Person, core_jpeg: bytes) -> None:
    answer = client.post(
        f"{PREDICT}?token={pathologist.token}", files={"file": ("a.jpg", core_jpeg)}, data={"is_he": "false"}
    )
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) == FIELDS
    assert set(found["probs"]) == {"0", "1+", "2+", "3+"}
    assert sum(found["probs"].values()) == pytest.approx(1, abs=1e-4)
    assert found["pred_label"] == max(found["probs"], key=found["probs"].get)
    assert found["confidence"] == pytest.approx(100 * max(found["probs"].values()))
    assert [layer["layer_name"] for layer in found["gradcam_layers"]] == LAYERS
    assert found["primary_gradcam_layer"] == "denseblock3"
    box = found["wsi_box"]
    assert set(box) == {"x0", "y0", "x1", "y1"}
    assert size(found["gradcam_layers"][0]["gradcam_b64"]) == (box["x1"] - box["x0"], box["y1"] - box["y0"])
    assert size(found["orig_b64"]) == (1400, 560)
    assert size(found["origResizedB64"]) == (420, 180)
    for key in ("probs_chart_b64", "primary_gradcam_b64", "pseudo_b64"):
        assert max(size(found[key])) <= 1400


def test_ganpredict_adds_the_virtual_stain(client: TestClient, pathologist: Person, core_jpeg: bytes) -> None:
    answer = client.post(
        f"{GAN}?token={pathologist.token}", files={"file": ("a.jpg", core_jpeg)}, data={"is_he": "true"}
    )
    found = answer.json()
    assert set(found) == FIELDS | {"generated_b64"}
    assert size(found["generated_b64"]) == (256, 256)
    assert found["wsi_box"] == {"x0": 0, "y0": 0, "x1": 256, "y1": 256}


@pytest.mark.parametrize(
    "address",
    [
        "/api/compat/predict?token={token}/predict",  # the whole address was typed in
        "/api/compat?token={token}/predict",  # only its beginning was
        "/api/compat/GANpredict?token={token}/GANpredict",
        "/api/compat?token={token}/GANpredict",
    ],
)
def test_what_the_application_appends_to_the_address_does_not_hurt(
    client: TestClient, pathologist: Person, address: str
) -> None:
    # The application lower-cases the address as it saves it; 400 says that the token was accepted.
    assert pathologist.token == pathologist.token.lower()
    answer = client.post(address.format(token=pathologist.token), files={"file": b"no image"})
    assert answer.status_code == 400


@pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff\xe0 cut off"])
@pytest.mark.parametrize("route", [PREDICT, GAN])
def test_an_unreadable_file_is_400(client: TestClient, pathologist: Person, route: str, content: bytes) -> None:
    answer = client.post(f"{route}?token={pathologist.token}", files={"file": ("a.png", content)})
    assert answer.status_code == 400
    assert answer.json()["detail"]


@pytest.mark.parametrize("query", ["", "?token=", "?token=ihcw_0000", "?token=%00"])
@pytest.mark.parametrize("route", [PREDICT, GAN, "/api/compat"])
def test_nothing_without_a_token(client: TestClient, route: str, query: str) -> None:
    assert client.post(route + query, files={"file": b"x"}).status_code == 401


def test_a_token_in_the_address_opens_nothing_else(client: TestClient, pathologist: Person) -> None:
    assert client.get(f"/api/history?token={pathologist.token}").status_code == 401
    assert client.post(f"/api/predict-her2?token={pathologist.token}", files={"file": b"x"}).status_code == 401


def test_health_is_open(client: TestClient) -> None:
    assert client.get("/api/compat/health").json() == {"status": "ok", "device": "cpu", "ihcnet": True, "psp": True}
