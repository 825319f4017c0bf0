"""A server of the API alone, whose launcher starts a trainer without networks: `... PORT`."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from core.api.create_app import create_app
from core.api.start_up import running
from core.jobs import processes

if __name__ == "__main__":
    processes.COMMAND = (sys.executable, "-m", "tests.jobs.fake_trainer")
    app = Starlette(routes=[Mount("/api", create_app())], lifespan=lambda _app: running())
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
