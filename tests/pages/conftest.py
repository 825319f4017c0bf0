"""The pages as a signed-in person sees them, without a browser."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest
from people_of_pages import PASSWORD
from results_by_hand import hand_made_result
from streamlit.testing.v1 import AppTest

from core import auth, history
from core.db import Database, User
from core.labels import Role
from core.types import Result
from pages.ui import work
from pages.ui.jobs import all_jobs

ROUTER = Path(__file__).resolve().parents[2] / "pages" / "router.py"


OpenAs = Callable[..., AppTest]


@pytest.fixture
def admin(database: Database) -> User:
    """The administrator, named ada."""
    return auth.create_first_admin(database, "ada", PASSWORD, local=True)


@pytest.fixture
def pathologist(database: Database, admin: User) -> User:
    """A pathologist, named bob."""
    return auth.add_user(database, admin, "bob", PASSWORD, Role.PATHOLOGIST)


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch, database: Database) -> OpenAs:
    """Open a page with the session cookie of a user, or signed out with None."""
    all_jobs.clear()
    # A thread that still loads a network when the tests are over would take the interpreter down with it.
    monkeypatch.setattr(work, "warm_up", lambda _db: Thread())

    def open_(user: User | None, page: str = "", *, address: str = "127.0.0.1", **query: str) -> AppTest:
        token = "" if user is None else auth.sign_in(database, user.name, PASSWORD)
        # AppTest has no cookies of its own; this is what a browser's connection would bring.
        client = SimpleNamespace(
            cookies={"workbench_session": token}, headers=[("Host", "localhost:8501")], remote_ip=address
        )
        monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: client)
        app = AppTest.from_file(str(ROUTER), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        return app.switch_page(page).run() if page else app

    return open_


@pytest.fixture
def result() -> Result:
    """A result over a small image of noise."""
    image = np.random.default_rng(0).integers(120, 255, (160, 200, 3), dtype=np.uint8)
    return hand_made_result(image, name="core 17.png")


@pytest.fixture
def stored(database: Database, pathologist: User, result: Result) -> list[str]:
    """Three entries in the pathologist's history: 2+, 3+ and a virtual 0."""
    ids = []
    for outcome, name in (("2+", "core 17.png"), ("3+", "core 18.png"), ("0", "slide 4.png")):
        analysis = replace(
            result.analysis,
            outcome=outcome,
            name=name,
            provenance=replace(result.analysis.provenance, image_sha256=name.encode().hex().ljust(64, "0")),
        )
        saved = history.save(database, pathologist, replace(result, analysis=analysis), b"image bytes")
        assert saved is not None
        ids.append(saved.entry_id)
    return ids


@pytest.fixture
def researcher(database: Database, admin: User) -> User:
    """A researcher, named rosa."""
    return auth.add_user(database, admin, "rosa", PASSWORD, Role.RESEARCHER)


@pytest.fixture
def waiting_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A launcher that starts nothing."""
    for module in ("submission", "requests"):
        monkeypatch.setattr(f"core.jobs.{module}.tick", lambda: None)


@pytest.fixture
def trainer() -> Iterator[subprocess.Popen[bytes]]:
    """A process that trains nothing, for a minute."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()
