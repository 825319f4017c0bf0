"""Sampling over the API: marked images of a class, the same for the same seed, and refusals in words."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from core.chosen_weights import use_file
from core.db import Database
from core.labels import Role
from core.models.medsyngan import Generator
from core.models.registry import CARDS
from core.models.weights import save_safetensors
from core.png_text import read_text
from tests.api.people import Person, person


@pytest.fixture
def researcher(database: Database, admin: Person) -> Person:  # noqa: ARG001
    return person(database, "Rita", Role.RESEARCHER)


@pytest.fixture
def generator(client: TestClient, database: Database, admin: Person, tmp_path: Path) -> str:  # noqa: ARG001
    """Untrained weights of the PR generator, chosen on the Admin page; their hash."""
    path = tmp_path / "generator.safetensors"
    save_safetensors(CARDS["medsyngan_g"].build().state_dict(), path)
    return use_file(database, admin.user, "medsyngan_g", path)


def asked(client: TestClient, who: Person, **wish: object):
    return client.post("/api/sample", json=wish, headers=who.bearer)


def test_the_same_seed_gives_the_same_marked_image(client: TestClient, researcher: Person, generator: str) -> None:
    answer = asked(client, researcher, **{"class": "PR+"}, count=3, seed=7, truncation=0.8).json()
    again = asked(client, researcher, **{"class": "PR+"}, seed=9, truncation=0.8).json()

    assert (answer["weights_sha256"], answer["synthetic"]) == (generator, True)
    assert [(each["class"], each["seed"]) for each in answer["images"]] == [("PR+", 7), ("PR+", 8), ("PR+", 9)]
    assert answer["images"][0]["file"] == "synthetic_PR+_7.png"
    assert again["images"][0]["png"] == answer["images"][2]["png"]
    png = base64.b64decode(answer["images"][0]["png"])
    assert cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).shape == (128, 128, 3)
    assert read_text(png)["Seed"] == "7"
    assert "Synthetic" in read_text(png)["Comment"]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"class": "PR+", "count": 0}, "count is 0"),
        ({"class": "PR+", "count": -4}, "count is -4"),
        ({"class": "PR+", "count": 1_000_000}, "at most 256"),
        ({"class": "PR+", "seed": "seven"}, "`seed` is 'seven'"),
        ({"class": "PR+", "seed": -1}, "seed is -1"),
        ({"class": "PR+", "seed": 1.5}, "`seed` is '1.5'"),
        ({"class": "PR+", "truncation": 0}, "truncation is 0"),
        ({"class": "Ki-67"}, "PR-, PR+"),
        ({"class": "PR+", "number": 3}, "`number`"),
        ({}, "`class`"),
    ],
)
def test_refuses_in_words(client: TestClient, admin: Person, wish: dict[str, object], words: str) -> None:
    answer = client.post("/api/sample", json=wish, headers=admin.bearer)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_weights_that_are_missing_are_named(client: TestClient, admin: Person) -> None:
    answer = asked(client, admin, **{"class": "3+"})
    assert answer.status_code == 503
    assert "MedSynGAN generator (synthetic HER2 images)" in answer.json()["detail"]


def test_weights_of_another_latent_size_are_refused(
    client: TestClient, database: Database, admin: Person, tmp_path: Path
) -> None:
    from core.errors import WeightsError

    path = tmp_path / "other.safetensors"
    save_safetensors(Generator(noise_dim=64).state_dict(), path)
    with pytest.raises(WeightsError, match="project.weight has shape"):
        use_file(database, admin.user, "medsyngan_g", path)
    assert asked(client, admin, **{"class": "PR+"}).status_code == 503


def test_only_researchers_and_administrators_sample(client: TestClient, pathologist: Person) -> None:
    assert asked(client, pathologist, **{"class": "PR+"}).status_code == 403
    assert client.post("/api/sample", json={"class": "PR+"}).status_code == 401


def test_an_export_is_its_owners_alone(
    client: TestClient, database: Database, admin: Person, researcher: Person
) -> None:
    from core.inference.synthesis import SampleSpec
    from core.serving import serving_engine
    from core.synthetic_export import zip_on_disk
    from core.synthetic_images import kept_as

    kept = kept_as(serving_engine(database), "medsyngan_g", SampleSpec("PR+", 1))
    path = zip_on_disk(researcher.user.id, "mine", [(kept, np.zeros((128, 128, 3), np.uint8))])
    found = client.get(f"/api/sample/exports/{path.name}", headers=researcher.bearer)

    assert (found.status_code, found.content) == (200, path.read_bytes())
    assert client.get(f"/api/sample/exports/{path.name}", headers=admin.bearer).status_code == 404
    assert client.get("/api/sample/exports/..%2Fworkbench.db", headers=admin.bearer).status_code == 404
