"""The workbench as one ASGI application: screens, REST API and sign-in in one process, on one port.

Start it with `streamlit run app.py`.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from core.api.auth_routes import AUTH_ROUTES
from core.api.create_app import create_app
from core.api.middleware import FileGuard, SecurityHeaders
from core.api.start_up import running
from core.memory import return_memory_early

return_memory_early()
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Prepare the process before the first visitor, and tidy up while it runs."""
    async with running():
        yield


app = st.App(
    Path(__file__).resolve().parent / "pages" / "router.py",
    routes=[Mount("/api", create_app()), *AUTH_ROUTES],
    middleware=[Middleware(SecurityHeaders), Middleware(FileGuard, base_path=st.get_option("server.baseUrlPath"))],
    lifespan=lifespan,
)
