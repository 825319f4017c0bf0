"""Shared fixtures: real images where they exist, a fresh data folder and database for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import Settings, get_settings
from core.db import Database, get_database

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real histopathology images beside the checkout."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("real images are not on this machine: ../shared/data is absent")
    return folder


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an empty installation whose data folder is the test's own."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("ARGON2_MEMORY_KIB", "19456")  # the least that is allowed: quick
    monkeypatch.setenv("ARGON2_PASSES", "2")
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:  # noqa: ARG001
    """An empty database in the test's own data folder, the one that `get_database()` returns."""
    opened = get_database()
    yield opened
    opened.close()
