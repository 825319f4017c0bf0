"""The REST API as one FastAPI application, mounted at `/api`."""

from typing import Any

from fastapi import FastAPI

from core import __version__
from core.api import docs
from core.api.errors import add_error_handlers
from core.api.routes import compat, health, history, models, nuclei, predict, runs, sample, stain
from core.api.schemas import Problem
from core.api.work import AnalysisPool

DESCRIPTION = """Research use only. Not for diagnosis.

Sign in with the session cookie, or send a token from the Account page: `Authorization: Bearer TOKEN`.
Every error is `{"detail": "what was found, what is needed"}`."""

ERRORS: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (401, 403, 404, 413, 415, 422, 503)}


def create_app() -> FastAPI:
    """Build the application; nothing is opened or loaded before the first request."""
    app = FastAPI(title="IHC Workbench", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.analyses = AnalysisPool()
    add_error_handlers(app)
    for module in (health, predict, stain, sample, history, nuclei, runs, models, compat):
        app.include_router(module.router, responses=ERRORS)
    app.include_router(docs.router)
    return app
