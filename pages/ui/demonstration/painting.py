"""Step 3: MedSynGAN is asked for both PR classes, and the real training image nearest to one of them is found."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import CLASSES, Marker
from core.types import Progress
from pages.ui import grid
from pages.ui.demonstration.prepared import forget, prepared
from pages.ui.synthesis import detail

if TYPE_CHECKING:
    from core.synthetic_images import Inspected

GENERATOR, COUNT, GRID, SEED = "medsyngan_g", 4, "tour-grid", "tour_seed"


@dataclass(frozen=True)
class Painted:
    """Some images of each class, as JPEG for the grid and as they were looked at."""

    weights_sha256: str
    pictures: dict[str, bytes]
    inspected: "dict[str, Inspected]"


def show(db: Database, user: User) -> None:
    """Both classes in a grid, beside them the one that was clicked."""
    seed = st.session_state.setdefault(SEED, 1)
    painted = prepared(user, "painted", "PR- and PR+", Painted, partial(_paint, db, seed))
    if painted is None:
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        cells = [
            grid.Cell(
                each, picture, caption=found.spec.label, alt=f"Synthetic {found.spec.label}, seed {found.spec.seed}"
            )
            for (each, picture), found in zip(painted.pictures.items(), painted.inspected.values(), strict=True)
        ]
        last = st.session_state.get(f"{GRID}-opened")
        first = last if last in painted.inspected else next(iter(painted.inspected))
        opened = grid.show(cells, key=GRID, side_px=120, selected=first).opened or first
        st.button("Other images", icon=":material/casino:", key="tour-others", on_click=_others, args=(user,))
    with right, st.container(border=True):
        detail.draw(painted.inspected[opened], weights_sha256=painted.weights_sha256)


def _paint(db: Database, seed: int, progress: Progress) -> Painted:
    progress("loading the generator", 0, 1)
    from core.images import encode_jpeg
    from core.inference.synthesis import specs_of
    from core.serving import serving_engine
    from core.synthetic_images import inspect

    engine = serving_engine(db)
    specs = [spec for label in CLASSES[Marker.PR] for spec in specs_of(label, COUNT, seed)]
    pictures, inspected = {}, {}
    for place, spec in enumerate(specs):
        progress("painting and looking for the nearest real image", place, len(specs))
        found = inspect(engine, GENERATOR, spec)
        name = f"{spec.label} {spec.seed}"
        pictures[name], inspected[name] = encode_jpeg(found.image), found
    return Painted(engine.state(GENERATOR).sha256 or "", pictures, inspected)


def _others(user: User) -> None:
    st.session_state[SEED] = st.session_state[SEED] + COUNT
    grid.forget(GRID)
    forget(user, "painted")
