"""The second model of the quality filter: a finished training of the same classifier."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core import jobs
from core.db.records import User
from core.jobs import Run
from core.labels import Marker
from core.training.config import Recipe
from pages.ui import errors

if TYPE_CHECKING:
    from core.inference.engine import Engine

RECIPES = {Marker.PR: Recipe.SIMPLE_CNN, Marker.HER2: Recipe.IHCNET}


def runs(user: User, marker: Marker) -> list[Run]:
    """The user's trainings of this marker's classifier that have weights, newest first."""
    with errors.shown(stop=False):
        return [each for each in jobs.list_runs(user) if _usable(each, marker)]
    return []


def choose(some: Sequence[Run], key: str) -> str:
    """Let the user choose one of the runs; its identifier."""
    names = {each.id: each.name for each in some}
    return st.selectbox(
        "Second model",
        list(names),
        format_func=names.__getitem__,
        key=f"{key}-second_run",
        width=360,
        help="A run of your own, best one that was not trained on these images.",
    )


def engine_of(user: User, marker: Marker, run_id: str) -> "Engine | None":
    """An engine with the weights of a run; None without one.

    Raises:
        NotFoundError: the run is gone.
        WeightsError: its weights are for other classes, or damaged.
    """
    if not run_id:
        return None
    from core.inference.filtering import with_weights
    from core.inference.scoring import CLASSIFIER

    return with_weights(CLASSIFIER[marker], jobs.get_run(user, run_id).folder.weights)


def _usable(run: Run, marker: Marker) -> bool:
    return run.recipe is RECIPES[marker] and run.status.state.ended and run.folder.weights.is_file()
