"""What shall be sampled: weights, class, count, seed, truncation."""

import secrets
from dataclasses import dataclass

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.errors import InvalidOptionError
from pages.ui.synthesis import generators
from pages.ui.synthesis.generators import Weights
from pages.ui.synthesis.remembered import keep, last

MODEL, LABEL, COUNT, SEED, TRUNCATION = (
    "sample_model",
    "sample_label",
    "sample_count",
    "sample_seed",
    "sample_truncation",
)
COUNT_HELP = "1 to 10,000; shown page by page."
SEED_HELP = "A whole number. The same seed and weights always give the same images."
TRUNCATION_HELP = "The noise is multiplied by it: less gives more typical, less varied images."
COUNT_AT_FIRST, SEED_AT_FIRST = 64, "1"


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
    weights = generators.choose(db, user, key=MODEL)
    if weights is None:
        return None
    label = choose_class(weights, key=LABEL)
    start = last(COUNT, COUNT_AT_FIRST)
    count = keep(COUNT, int(st.number_input("Images", value=start, step=16, key=COUNT, help=COUNT_HELP)))
    seed = choose_seed("Seed", key=SEED)
    truncation = choose_truncation(key=TRUNCATION)
    if not st.button("Generate", type="primary", icon=":material/auto_awesome:", key="generate", width="stretch"):
        return None
    return _checked(weights, label, count, seed, truncation)


def choose_class(weights: Weights, *, key: str, title: str = "Class", first: str = "") -> str:
    """One of the classes that the weights know."""
    start = last(key, first or weights.labels[-1])
    default = start if start in weights.labels else weights.labels[-1]
    return keep(key, str(st.segmented_control(title, weights.labels, default=default, key=key, required=True)))


def choose_seed(title: str, *, key: str, first: str = SEED_AT_FIRST) -> str:
    """A seed to be typed, or a new one by the button."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}_line"):
        field = seed_field(key)
        seed = st.text_input(title, last(key, first), key=field, max_chars=20, help=SEED_HELP)
        st.button("New", icon=":material/casino:", key=f"{key}_dice", on_click=_roll, args=(key,), help="A new seed")
    return keep(key, seed)


def seed_field(key: str) -> str:
    """The field in which a seed is typed; another one after every roll of the dice."""
    return f"{key}-{last(f'{key}-rolls', 0)}"


def choose_truncation(*, key: str) -> float:
    """How far from the middle of the noise."""
    return keep(key, st.slider("Truncation", 0.1, 1.0, last(key, 1.0), 0.05, key=key, help=TRUNCATION_HELP))


def _roll(key: str) -> None:
    keep(key, str(secrets.randbelow(1_000_000)))
    keep(f"{key}-rolls", last(f"{key}-rolls", 0) + 1)


def _checked(weights: Weights, label: str, count: int, seed: str, truncation: float) -> Wish | None:
    from core.inference.synthesis import check_wish, parse_seed

    try:
        number = parse_seed(seed)
        check_wish(count, number, truncation, label, weights.labels)
    except InvalidOptionError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return Wish(weights, label, count, number, truncation)
