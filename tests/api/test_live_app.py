"""`streamlit run app.py`: pages, API and sign-in answer from one process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.people import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 120


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    """The server as the README starts it, with an empty data folder, and its log."""
    folder = tmp_path_factory.mktemp("live")
    log = folder / "log.txt"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    environment = os.environ | {"DATA_DIR": str(folder / "data"), "ARGON2_MEMORY_KIB": "19456", "ARGON2_PASSES": "2"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            with httpx.Client(base_url=f"http://localhost:{port}", timeout=60) as client:
                wait_for(client, process)
                yield client, log
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.get("/_stcore/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def test_signed_out_every_address_is_the_same_empty_shell(live: tuple[httpx.Client, Path]) -> None:
    client, _ = live
    shell = client.get("/")
    assert shell.headers["x-frame-options"] == "SAMEORIGIN"
    assert "default-src 'self'" in shell.headers["content-security-policy"]
    for path in ("/secret", "/admin", "/pages/history.py", "/data/workbench.db", "/.env", "/app.py"):
        assert client.get(path).content == shell.content
    for path in ("/api/history", "/api/models", "/media/x.png"):
        assert client.get(path).status_code == 401


def test_the_first_administrator_signs_in_once_and_for_all_of_it(live: tuple[httpx.Client, Path]) -> None:
    client, log = live
    assert "enter the code" in log.read_text(encoding="utf-8")
    answer = client.post("/auth/setup", data={"name": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/api/history").json() == {"count": 0, "entries": []}
    assert client.get("/api/health").json()["status"] == "ok"
    client.post("/auth/sign-out")
    assert client.get("/api/history").status_code == 401
