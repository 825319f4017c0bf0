"""Step 3: MedSynGAN is asked for both PR classes, and the real training image nearest to one of them is found."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import CLASSES, Marker
from core.types import Progress
from pages.ui import errors, grid
from pages.ui.demonstration.prepared import forget, prepared
from pages.ui.synthesis import detail

if TYPE_CHECKING:
    from core.inference.synthesis import SampleSpec
    from core.synthetic_images import Inspected

GENERATOR, COUNT, GRID, SEED = "medsyngan_g", 4, "tour-grid", "tour_seed"


@dataclass
class Painted:
    """Some images of each class, as JPEG by name, and those that were looked at closely so far."""

    weights_sha256: str
    specs: "dict[str, SampleSpec]"
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
            grid.Cell(name, painted.pictures[name], spec.label, alt=f"Synthetic {spec.label}, seed {spec.seed}")
            for name, spec in painted.specs.items()
        ]
        last = st.session_state.get(f"{GRID}-opened")
        first = last if last in painted.specs else next(iter(painted.specs))
        opened = grid.show(cells, key=GRID, side_px=120, selected=first).opened or first
        st.button("Other images", icon=":material/casino:", key="tour-others", on_click=_others, args=(user,))
    with right, st.container(border=True), errors.shown(stop=False):
        detail.draw(_inspected(db, painted, opened), weights_sha256=painted.weights_sha256)


def _inspected(db: Database, painted: Painted, name: str) -> "Inspected":
    """Looked at when it is clicked first."""
    if name not in painted.inspected:
        from core.serving import serving_engine
        from core.synthetic_images import inspect

        with st.spinner("Looking closely..."):
            painted.inspected[name] = inspect(serving_engine(db), GENERATOR, painted.specs[name])
    return painted.inspected[name]


def _paint(db: Database, seed: int, progress: Progress) -> Painted:
    progress("loading the generator", 0, 3)
    from core.images import encode_jpeg
    from core.inference.synthesis import sample_images, specs_of
    from core.serving import serving_engine
    from core.synthetic_images import inspect

    engine = serving_engine(db)
    specs = {f"{spec.label} {spec.seed}": spec for label in CLASSES[Marker.PR] for spec in specs_of(label, COUNT, seed)}
    progress("painting", 1, 3)
    images = sample_images(engine, GENERATOR, list(specs.values()))
    pictures = {name: encode_jpeg(image) for name, image in zip(specs, images, strict=True)}
    progress("looking for the nearest real image", 2, 3)
    first = next(iter(specs))
    looked_at = {first: inspect(engine, GENERATOR, specs[first])}
    return Painted(engine.state(GENERATOR).sha256 or "", specs, pictures, looked_at)


def _others(user: User) -> None:
    st.session_state[SEED] = st.session_state[SEED] + COUNT
    grid.forget(GRID)
    forget(user, "painted")
