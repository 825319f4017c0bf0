"""The tab Interpolate: from one seed or class to another as strip and animation, and one seed in all classes."""

from collections.abc import Sequence

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.errors import InvalidOptionError
from pages.ui import errors, grid
from pages.ui.synthesis import generators, ways, wish
from pages.ui.synthesis.generators import Weights
from pages.ui.synthesis.remembered import keep, last
from pages.ui.synthesis.ways import CLASSES, SEEDS, SWEEP, Shown, Way

MODE, MODEL, LABEL, OTHER_LABEL = "between_mode", "between_model", "between_label", "between_other_label"
SEED, OTHER_SEED, STEPS, TRUNCATION, PLAY = (
    "between_seed",
    "between_other_seed",
    "between_steps",
    "between_truncation",
    "between_play",
)
STATE = "between_shown"
EMPTY = "Nothing yet. Choose two seeds or two classes and press Show the way."


def show(db: Database, user: User) -> None:
    """Left what is asked for, right the strip."""
    left, right = st.columns([2, 8], gap="medium")
    with left:
        way = _ask(db, user)
    if way is not None:
        with right, errors.shown(), st.spinner("Sampling..."):
            st.session_state[STATE] = ways.made(db, way)
    with right:
        shown: Shown | None = st.session_state.get(STATE)
        if shown is None:
            st.info(EMPTY, icon=":material/route:")
        else:
            _draw(shown)


def _ask(db: Database, user: User) -> Way | None:
    """The form; what it asks for once the button is pressed."""
    modes = (SEEDS, CLASSES, SWEEP)
    mode = keep(MODE, str(st.radio("From one to another", modes, modes.index(last(MODE, SEEDS)), key=MODE)))
    weights = generators.choose(db, user, key=MODEL)
    if weights is None:
        return None
    label = other = weights.labels[0]
    if mode == CLASSES:
        label = wish.choose_class(weights, key=LABEL, title="From", first=weights.labels[0])
        other = wish.choose_class(weights, key=OTHER_LABEL, title="To")
    elif mode == SEEDS:
        label = other = wish.choose_class(weights, key=LABEL, first=weights.labels[0])
    seeds = [wish.choose_seed("From seed" if mode == SEEDS else "Seed", key=SEED)]
    if mode == SEEDS:
        seeds.append(wish.choose_seed("To seed", key=OTHER_SEED, first="2"))
    steps = (
        keep(STEPS, st.slider("Steps", 3, 25, last(STEPS, 9), 2, key=STEPS)) if mode != SWEEP else len(weights.labels)
    )
    truncation = wish.choose_truncation(key=TRUNCATION)
    if not st.button("Show the way", type="primary", icon=":material/route:", key="between_go", width="stretch"):
        return None
    return _checked(weights, mode, (label, other), seeds, steps, truncation)


def _checked(
    weights: Weights, mode: str, labels: tuple[str, str], seeds: Sequence[str], steps: int, truncation: float
) -> Way | None:
    from core.inference.synthesis import parse_seed

    try:
        numbers = [parse_seed(seed) for seed in seeds]
        if mode == CLASSES and labels[0] == labels[1]:
            raise InvalidOptionError(f"Both classes are {labels[0]}. Choose another one to go to.")
    except InvalidOptionError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return Way(weights, mode, labels, (numbers[0], numbers[-1]), steps, truncation)


def _draw(shown: Shown) -> None:
    """The strip, always; the animation on request, so that nothing moves unasked."""
    st.markdown(f"**Synthetic, {shown.way.title}**")
    grid.show(shown.cells, key="between_strip", side_px=112)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="between_actions"):
        playing = st.toggle("Play", False, key=PLAY, help="The same images one after the other, there and back.")
        st.download_button(
            "Animation",
            shown.animation,
            f"synthetic-{shown.way.title.replace(' ', '-').replace(',', '')}.webp",
            "image/webp",
            key="between_download",
            on_click="ignore",
            icon=":material/download:",
        )
    if playing:
        with st.container(width=288, key="between_animation"):
            grid.show(
                [grid.Cell("animation", shown.animation, alt=f"Animation: {shown.way.title}")],
                key="between_film",
                side_px=256,
            )
