"""What shall be sampled: weights, class, count, seed, truncation."""

import secrets
from dataclasses import dataclass

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.errors import InvalidOptionError
from pages.ui.synthesis import generators
from pages.ui.synthesis.generators import Weights

MODEL, LABEL, COUNT, SEED, TRUNCATION = (
    "sample_model",
    "sample_label",
    "sample_count",
    "sample_seed",
    "sample_truncation",
)
DEFAULTS = {COUNT: 64, SEED: "1", TRUNCATION: 1.0}


@dataclass(frozen=True)
class Wish:
    """A gallery as it was asked for: images are made again whenever they are looked at."""

    weights: Weights
    label: str
    count: int
    seed: int
    truncation: float


def ask(db: Database, user: User) -> Wish | None:
    """The form; what it asks for once Generate is pressed and all of it is possible, else None."""
    for key, value in DEFAULTS.items():
        st.session_state.setdefault(key, value)
    weights = generators.choose(db, user, key=MODEL)
    if weights is None:
        return None
    label = choose_class(weights, key=LABEL)
    count = st.number_input("Images", step=16, key=COUNT, help="1 to 10,000; shown page by page.")
    seed = choose_seed("Seed", key=SEED)
    truncation = choose_truncation(key=TRUNCATION)
    if not st.button("Generate", type="primary", icon=":material/auto_awesome:", key="generate", width="stretch"):
        return None
    return _checked(weights, label, int(count), seed, truncation)


def choose_class(weights: Weights, *, key: str, title: str = "Class") -> str:
    """One of the classes that the weights know."""
    if st.session_state.get(key) not in weights.labels:
        st.session_state[key] = weights.labels[-1]
    label = st.segmented_control(title, weights.labels, key=key, required=True)
    return str(label)


def choose_seed(title: str, *, key: str) -> str:
    """A seed to be typed, or a new one by the button."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}_line"):
        seed = st.text_input(
            title, key=key, max_chars=20, help="A whole number. The same seed and weights always give the same images."
        )
        st.button("New", icon=":material/casino:", key=f"{key}_dice", on_click=_roll, args=(key,), help="A new seed")
    return seed


def choose_truncation(*, key: str) -> float:
    """How far from the middle of the noise."""
    return st.slider(
        "Truncation",
        0.1,
        1.0,
        step=0.05,
        key=key,
        help="The noise is multiplied by it: less gives more typical, less varied images.",
    )


def _roll(key: str) -> None:
    st.session_state[key] = str(secrets.randbelow(1_000_000))


def _checked(weights: Weights, label: str, count: int, seed: str, truncation: float) -> Wish | None:
    from core.inference.synthesis import check_wish, parse_seed

    try:
        number = parse_seed(seed)
        check_wish(count, number, truncation, label, weights.labels)
    except InvalidOptionError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return Wish(weights, label, count, number, truncation)
