"""The tab Health: how good a generator's images are, beside the same figures of real tiles."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.errors import InvalidOptionError
from core.types import Progress
from pages.ui import background, workspace
from pages.ui.synthesis import generators, health_results, real_images
from pages.ui.synthesis.generators import Weights

if TYPE_CHECKING:  # the networks are imported by the thread that needs them
    from core.inference.generator_health import GeneratorHealth
    from core.types import RGBImage

KIND, STATE = "generator_health", "synthesis_health"
MODEL, COUNT, SEED = "health_model", "health_count", "health_seed"
PICTURES = 12
"""Real tiles of a class that are shown."""

EMPTY = (
    "Nothing measured yet. Press Measure: 500 images are sampled and held against real tiles that the generator never "
    "saw. It takes a minute or two, and goes on when you leave the page."
)


@dataclass(frozen=True)
class Measured:
    """One measurement, and the real tiles of each class that are on this machine."""

    health: "GeneratorHealth"
    real: dict[str, tuple[tuple[str, "RGBImage"], ...]]


def show(db: Database, user: User) -> None:
    """What shall be measured, how far that is, and what came of it last."""
    owner = workspace.workspace(user).owner
    weights = _ask(db, user, owner)
    task = background.find(owner, KIND)
    if task is not None:
        if background.waits(task):
            return
        found = background.result_of(task, Measured)
        background.discard(owner, KIND)
        if found is not None:
            st.session_state[STATE] = found
    known = st.session_state.get(STATE)
    if not isinstance(known, Measured):
        st.info(EMPTY, icon=":material/monitor_heart:")
        return
    if weights is not None and weights.sha256 != known.health.weights_sha256:
        st.caption("These figures are of other weights than those chosen above. Press Measure for those.")
    health_results.show(known.health, known.real)


def _ask(db: Database, user: User, owner: str) -> Weights | None:
    st.session_state.setdefault(COUNT, 500)
    st.session_state.setdefault(SEED, "0")
    with st.container(horizontal=True, vertical_alignment="top", key="health_wish"):
        with st.container(width=260):
            weights = generators.choose(db, user, key=MODEL)
        count = st.number_input(
            "Images", step=50, key=COUNT, width=130, help="50 to 2,000, shared out among the classes as real tiles are."
        )
        seed = st.text_input("First seed", key=SEED, max_chars=20, width=110, help="The same seed, the same figures.")
    running = background.find(owner, KIND)
    busy = running is not None and not running.done.is_set()
    if st.button(
        "Measure",
        type="primary",
        icon=":material/monitor_heart:",
        key="health_measure",
        disabled=weights is None or busy,
    ):
        _start(db, user, owner, weights, int(count), seed)
    return weights


def _start(db: Database, user: User, owner: str, weights: Weights | None, count: int, seed: str) -> None:
    from core.inference.synthesis import parse_seed
    from core.quality.health import check_count

    if weights is None:
        return
    try:
        number = parse_seed(seed)
        check_count(count)
    except InvalidOptionError as error:
        st.error(str(error), icon=":material/error:")
        return
    folders = real_images.folders(user)

    def work(progress: Progress) -> Measured:
        from core.inference.generator_health import check_generator
        from core.inference.training_index import require_index
        from core.quality.neighbours import some_pictures

        engine = generators.engine_of(db, weights)
        health = check_generator(engine, weights.model, count=count, seed=number, progress=progress)
        index = require_index(engine, weights.model)
        find = partial(some_pictures, index, folders=folders, count=PICTURES)
        return Measured(health, {label: find(place) for place, label in enumerate(index.classes)})

    background.start(owner, KIND, f"{count:,} images", work)
    st.rerun()
