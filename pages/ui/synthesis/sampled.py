"""The gallery on the screen: one page of pictures at a time, and the favourites of all pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

import streamlit as st

from core.db.engine import Database
from pages.ui import grid
from pages.ui.synthesis import generators
from pages.ui.synthesis.generators import Weights
from pages.ui.synthesis.wish import Wish

if TYPE_CHECKING:  # the networks are imported where images are made
    from core.collections import KeptImage
    from core.inference.synthesis import SampleSpec
    from core.types import RGBImage

STATE, GRID, PAGE_NUMBER = "synthesis_gallery", "synthesis_grid", "synthesis_page"
PAGE = 64
"""Images on a page: as many as one batch."""


@dataclass(frozen=True)
class Chosen:
    """One image of a gallery; class, seed, truncation and weights make it again."""

    weights: Weights
    spec: "SampleSpec"

    @property
    def id(self) -> str:
        """The same for the same image."""
        return f"{self.spec.label} {self.spec.seed} {self.spec.truncation:g} {self.weights.sha256[:12]}"


@dataclass
class Gallery:
    """What one browser tab looks at.

    Attributes:
        wish: what was asked for last; None before that.
        shown: which page `pictures` are of.
        pictures: JPEGs of one page, never of more.
        favourites: by id, in the order in which they were starred.
    """

    wish: Wish | None = None
    shown: tuple[Wish, int] | None = None
    pictures: tuple[bytes, ...] = ()
    favourites: dict[str, Chosen] = field(default_factory=dict)


def gallery() -> Gallery:
    """The gallery of this tab."""
    if STATE not in st.session_state:
        st.session_state[STATE] = Gallery()
    known: Gallery = st.session_state[STATE]
    return known


def pages(wish: Wish) -> int:
    """How many pages it has."""
    return ceil(wish.count / PAGE)


def on_page(wish: Wish, page: int) -> tuple[Chosen, ...]:
    """What the images of one page are made from."""
    from core.inference.synthesis import specs_of

    first = page * PAGE
    some = specs_of(wish.label, min(PAGE, wish.count - first), wish.seed + first, wish.truncation)
    return tuple(Chosen(wish.weights, spec) for spec in some)


def all_of(wish: Wish) -> "tuple[SampleSpec, ...]":
    """What all its images are made from."""
    from core.inference.synthesis import specs_of

    return specs_of(wish.label, wish.count, wish.seed, wish.truncation)


def pictures(db: Database, wish: Wish, page: int, chosen: Sequence[Chosen]) -> tuple[bytes, ...]:
    """The pictures of one page as JPEG, made when the page is turned to."""
    state = gallery()
    if state.shown != (wish, page):
        from core.images import encode_jpeg
        from core.inference.synthesis import sample_images

        with st.spinner(f"Sampling {len(chosen)} images..."):
            engine = generators.engine_of(db, wish.weights)
            images = sample_images(engine, wish.weights.model, [each.spec for each in chosen])
        state.pictures = tuple(encode_jpeg(image) for image in images)
        state.shown = (wish, page)
    return state.pictures


def show_grid(chosen: Sequence[Chosen], encoded: Sequence[bytes]) -> Chosen | None:
    """The pictures with their stars; return the one that was clicked last."""
    state = gallery()
    cells = [
        grid.Cell(
            each.id,
            picture,
            caption=str(each.spec.seed),
            marked=each.id in state.favourites,
            alt=f"Synthetic {each.spec.label}, seed {each.spec.seed}",
        )
        for each, picture in zip(chosen, encoded, strict=True)
    ]
    touched = grid.show(cells, key=GRID, side_px=96)
    for each in chosen:
        if each.id in touched.marked:
            state.favourites.setdefault(each.id, each)
        else:
            state.favourites.pop(each.id, None)
    return next((each for each in chosen if each.id == touched.opened), None)


def made_again(db: Database, chosen: Sequence[Chosen]) -> Iterator["tuple[KeptImage, RGBImage]"]:
    """The images once more, in full quality and measured.

    Raises:
        WeightsError: other weights are active by now.
    """
    from core.synthetic_images import kept_again

    for weights in dict.fromkeys(each.weights for each in chosen):
        specs = [each.spec for each in chosen if each.weights == weights]
        yield from kept_again(generators.engine_of(db, weights), weights.model, weights.sha256, specs)


def clear_favourites() -> None:
    """Take all stars away."""
    gallery().favourites.clear()
    grid.forget(GRID)
