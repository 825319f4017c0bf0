"""Which networks there are, and what weights they run with."""

from fastapi import APIRouter

from core.api.deps import CurrentUser, Db, EngineDep, ResearchUser
from core.api.schemas import ModelPublic, Problem, WeightsUsed

router = APIRouter(tags=["server"])


@router.get("/models")
def models(_user: CurrentUser, engine: EngineDep) -> list[ModelPublic]:
    """Every network with its card's facts; `error` says why one is unavailable."""
    from core.models.registry import CARDS

    answer = []
    for name, state in engine.available().items():
        card = CARDS[name]
        answer.append(
            ModelPublic(
                name=card.name,
                title=card.title,
                task=card.task.value,
                marker=card.marker.value if card.marker else None,
                labels=list(card.labels),
                input_px=card.input_px,
                tile_um=card.tile_um,
                parameters=card.parameters,
                licence=card.licence,
                source=card.source,
                weights_sha256=state.sha256,
                error=state.error,
            )
        )
    return answer


@router.post("/models/{name}/roll-back", responses={409: {"model": Problem}})
def roll_back(name: str, user: ResearchUser, db: Db, engine: EngineDep) -> WeightsUsed:
    """Go back to the weights that a model ran with before; those that are gone are passed over."""
    from core.chosen_weights import roll_back as go_back

    former = go_back(db, user, name)
    engine.set_override(name, former.path)
    return WeightsUsed(model=name, sha256=engine.state(name).sha256, notes=list(former.skipped))
