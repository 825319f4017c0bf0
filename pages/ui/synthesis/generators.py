"""Which generator paints: the active weights of each, or those of a finished training, to try them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core import jobs
from core.db.engine import Database
from core.db.records import User
from core.errors import WeightsError
from core.labels import CLASSES, Marker
from core.training.config import Recipe
from pages.ui import errors

if TYPE_CHECKING:  # the networks are imported where images are made
    from core.inference.engine import Engine

MODELS = {"medsyngan_g": Marker.PR, "medsyngan_her2_g": Marker.HER2}
TITLES = {"medsyngan_g": "MedSynGAN, PR", "medsyngan_her2_g": "MedSynGAN, HER2"}
NO_WEIGHTS = (
    "No weights that paint {marker} are active. Train the recipe MedSynGAN on {marker} tiles (page Training) and press "
    "Use these weights, or ask the administrator to add a weights file."
)


@dataclass(frozen=True)
class Weights:
    """Weights that images are sampled with.

    Attributes:
        model: the generator they are for.
        sha256: of the file; empty until it was looked at.
        path: of a training's weights; empty for the active ones.
    """

    model: str
    sha256: str = ""
    path: str = ""

    @property
    def marker(self) -> Marker:
        """What they paint."""
        return MODELS[self.model]

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes that they know."""
        return CLASSES[self.marker]


def choose(db: Database, user: User, *, key: str) -> Weights | None:
    """The choice of weights, and their hash; None with what to do where there are none."""
    offered = {Weights(model): TITLES[model] for model in MODELS} | _trained(user)
    chosen = st.selectbox(
        "Weights",
        list(offered),
        format_func=lambda each: offered.get(each, each.path),
        key=key,
        help="Which generator paints. Weights of a training can be tried here before they are used.",
    )
    with st.spinner("Checking the weights..."):
        state = engine_of(db, chosen).state(chosen.model)
    if state.sha256 is None:
        st.info(NO_WEIGHTS.format(marker=chosen.marker.title), icon=":material/info:")
        if (state.overridden or chosen.path) and state.error:
            st.error(state.error, icon=":material/error:")
        return None
    kind = "of a training" if chosen.path else "chosen by the administrator" if state.overridden else "active"
    st.caption(f"{kind}, SHA-256 {state.sha256[:12]}")
    return Weights(chosen.model, state.sha256, chosen.path)


def engine_of(db: Database, weights: Weights) -> "Engine":
    """The engine that samples with these weights."""
    from core.serving import serving_engine, trial_engine

    return trial_engine(db, weights.model, Path(weights.path)) if weights.path else serving_engine(db)


def _trained(user: User) -> dict[Weights, str]:
    """The weights of this user's trainings that a generator here can use, newest first."""
    from core.models.sidecar import read_sidecar

    found: dict[Weights, str] = {}
    with errors.shown(stop=False):
        for run in jobs.list_runs(user):
            file = run.folder.weights
            if run.recipe is not Recipe.MEDSYNGAN or not run.status.state.ended or not file.is_file():
                continue
            try:
                sidecar = read_sidecar(file)
            except WeightsError:
                continue
            model = next((name for name, marker in MODELS.items() if sidecar and sidecar.labels == CLASSES[marker]), "")
            if model:
                found[Weights(model, path=str(file))] = f"{run.name} ({run.created:%Y-%m-%d})"
    return found
