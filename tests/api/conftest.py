"""The server without its pages: API, sign-in routes and middleware over an empty installation."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.testclient import TestClient

from core.api.auth_routes import AUTH_ROUTES
from core.api.create_app import create_app
from core.api.middleware import FileGuard, SecurityHeaders
from core.config import ROOT, Settings
from core.db import Database
from core.inference.engine import get_engine
from core.labels import Role
from core.models.registry import CARDS
from core.models.weights import save_safetensors
from tests.api.people import Person, person

MODELS = ("ihcnet", "simple_cnn", "pspstain")


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of untrained networks: what is tested here is the way to them and back."""
    folder = tmp_path_factory.mktemp("weights")
    # The stain recognition is small, and what comes after it depends on it: the bundled one takes part.
    for file in (ROOT / "weights").glob("stain_recognition*"):
        shutil.copy(file, folder)
    lines = []
    torch.manual_seed(7)
    for name in MODELS:
        save_safetensors(CARDS[name].build().state_dict(), folder / f"{name}.safetensors")
        lines.append(f'[models.{name}]\nfile = "{name}.safetensors"\n')
    (folder / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def networks(random_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the process's engine run the untrained networks; to be asked for before `settings`."""
    monkeypatch.setenv("WEIGHTS_DIR", str(random_weights))
    monkeypatch.setenv("BACKEND", "torch")
    get_engine.cache_clear()
    yield
    get_engine.cache_clear()


@pytest.fixture
def client(networks: None, settings: Settings, database: Database) -> TestClient:  # noqa: ARG001
    """A browser on this machine."""
    server = Starlette(
        routes=[Mount("/api", create_app()), *AUTH_ROUTES],
        middleware=[Middleware(SecurityHeaders), Middleware(FileGuard)],
    )
    return TestClient(
        server,
        base_url="http://localhost:8501",
        client=("127.0.0.1", 50_000),
        raise_server_exceptions=False,
        follow_redirects=False,
    )


@pytest.fixture
def admin(database: Database) -> Person:
    return person(database, "Ada", Role.ADMIN)


@pytest.fixture
def pathologist(database: Database, admin: Person) -> Person:  # noqa: ARG001
    return person(database, "Paula", Role.PATHOLOGIST)


@pytest.fixture
def other(database: Database, admin: Person) -> Person:  # noqa: ARG001
    return person(database, "Otto", Role.PATHOLOGIST)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A folder of two classes."""
    tile = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for label in ("PR-", "PR+"):
        (tmp_path / "tiles" / label).mkdir(parents=True)
        for number in range(6):
            cv2.imwrite(str(tmp_path / "tiles" / label / f"{number}.png"), tile)
    return str(tmp_path / "tiles")
