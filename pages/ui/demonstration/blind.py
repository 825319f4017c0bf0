"""Step 4: real or synthetic? A short blind round that lives in this browser tab alone."""

import random
from functools import partial

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import CLASSES, Marker
from core.reading.round import REAL, SYNTHETIC, Item, Question, Round
from core.types import Progress
from pages.ui.demonstration.painting import GENERATOR
from pages.ui.demonstration.prepared import forget, prepared
from pages.ui.synthesis import reading_results, reading_round

KEY, EACH = "tour-blind", 4
EASIER = (
    "The real images are cut from a photograph of colon that comes with scikit-image: another tissue, another stain "
    "and softer pixels. That makes it easier than it should be; a fair test takes real images of the same stain."
)


def show(db: Database, user: User) -> None:
    """One image after the other, then what the answers amount to."""
    items = prepared(user, "items", "8 images", tuple, partial(_items, db))
    if items is None:
        return
    before = st.session_state.get(f"{KEY}-round")
    if not isinstance(before, Round) or not before.finished:
        reading_round.in_session(Question.ORIGIN, items, key=KEY)
    else:
        reading_results.own_result(before, key=KEY)
        st.button("Another round", icon=":material/replay:", key="tour-another", on_click=_again, args=(user,))
    st.caption(EASIER)


def _items(db: Database, progress: Progress) -> tuple[Item, ...]:
    progress("preparing the images", 0, 1)
    from core.inference.synthesis import sample_images, specs_of
    from core.phantoms.photograph import real_tiles
    from core.reading.files import blind_tile, new_item_id
    from core.serving import serving_engine

    drawn = random.SystemRandom()
    seed = drawn.randrange(2**31)
    specs = [spec for label in CLASSES[Marker.PR] for spec in specs_of(label, EACH // 2, seed)]
    painted = sample_images(serving_engine(db), GENERATOR, specs)
    items = [
        Item(new_item_id(), blind_tile(image), SYNTHETIC, f"MedSynGAN, {spec.label}, seed {spec.seed}")
        for spec, image in zip(specs, painted, strict=True)
    ]
    real = real_tiles(EACH, seed=seed)
    items += [Item(new_item_id(), blind_tile(image), REAL, "photograph of colon, scikit-image") for image in real]
    drawn.shuffle(items)
    return tuple(items)


def _again(user: User) -> None:
    reading_round.restart(KEY)
    forget(user, "items")
