"""State of the server, open to everybody: load balancers and containers ask it."""

from fastapi import APIRouter

from core import __version__
from core.api.deps import EngineDep
from core.api.schemas import Health

router = APIRouter(tags=["server"])


@router.get("/health")
def health(engine: EngineDep) -> Health:
    """Say whether the networks can be used, on which device, and with which weights."""
    models = {name: state.sha256 if state.error is None else None for name, state in engine.available().items()}
    return Health(
        status="ok",
        version=__version__,
        device="cuda" if engine.backend == "torch-cuda" else "cpu",
        backend=engine.backend,
        models=models,
    )
