"""A server that is killed while a run trains, and the next one."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from core.config import ROOT, Settings
from core.db import Database
from core.jobs.records import read_trainer, runs_folder
from core.labels import Role
from core.training.run_folder import RunFolder
from tests.api.people import person

LIMIT_S = 60


class Server:
    """The server, started and killed as often as a test likes."""

    def __init__(self, settings: Settings) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = os.environ | {"DATA_DIR": str(settings.data_dir), "DEVICE": "cpu"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.api.server_of_runs", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/api/openapi.json")
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    server = Server(settings)
    yield server
    server.kill()
    for path in runs_folder().glob("2*"):
        trainer = read_trainer(RunFolder(path))
        if trainer is not None and psutil.pid_exists(trainer.pid):
            psutil.Process(trainer.pid).kill()


@pytest.mark.slow
def test_trainings_and_the_queue_survive_a_killed_server(server: Server, database: Database, data: str) -> None:
    admin = person(database, "Ada", Role.ADMIN)
    client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}/api", headers=admin.bearer, timeout=30)

    def wait_for(run_id: str, state: str) -> dict[str, object]:
        deadline = time.monotonic() + LIMIT_S
        while (found := client.get(f"/runs/{run_id}").json())["state"] != state and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found["state"] == state, found
        return found

    server.start()
    config = {"epochs": 30}
    first, second = (
        client.post("/runs", json={"recipe": "simple-cnn", "data": data, "config": config}).json()["id"] for _ in "ab"
    )
    wait_for(first, "running")
    pid = RunFolder(runs_folder() / first).status().pid
    server.kill()
    assert psutil.Process(pid).is_running()

    server.start()
    assert client.get(f"/runs/{second}").json()["place"] == 1
    assert wait_for(first, "finished")["epoch"] == 30
    assert wait_for(second, "running")["place"] is None  # the new server started it by itself
    os.kill(RunFolder(runs_folder() / second).status().pid, 9)
    assert "memory" in str(wait_for(second, "interrupted")["message"])
