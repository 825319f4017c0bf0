"""The tour: five steps that a student can give in under five minutes, with samples only."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.labels import Role
from pages.ui import chrome, work
from pages.ui.demonstration import blind, learning, painting, scoring
from pages.ui.demonstration.prepared import stop_all

STEP = "tour_step"


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        caption: what to look at, in at most two sentences.
        trains: what is tried for oneself is the page for researchers that `page` names; others have Analyze.
    """

    title: str
    caption: str
    show: Callable[[Database, User], None]
    page: str = chrome.ANALYZE
    link: str = "Try it yourself: Analyze"


STEPS = (
    Step(
        "Score a 3+",
        "Read the score and its confidence first, then the picture: bright colours show where the network looked. "
        "In this simulated tissue 7 of 10 tumour cells were drawn with an intense, closed membrane.",
        scoring.show_stained,
    ),
    Step(
        "The same from H&E",
        "The same tissue in H&E: the IHC is painted by a network, and the banner stays with the score. "
        "Move the slider between H&E and virtual IHC, and ask what of it you would believe.",
        scoring.show_he,
    ),
    Step(
        "Ask MedSynGAN",
        "All of these images are synthetic, above PR-, below PR+ from the same noise. "
        "Click one: the badge says whether it is a copy of an image that the generator learnt from.",
        painting.show,
        chrome.SYNTHESIS,
        "Try it yourself: Synthesis",
    ),
    Step(
        "Real or synthetic?",
        "Eight images, four of them made by the generator: which are real? Arrow keys answer too.",
        blind.show,
        chrome.SYNTHESIS,
        "Try it yourself: Synthesis",
    ),
    Step(
        "Watch a network learn",
        "A small network learns PR from simulated tiles, here and now. "
        "Watch the second line: what counts is how it reads cases that it never saw.",
        learning.show,
        chrome.TRAINING,
        "Try it yourself: Training",
    ),
)


def show(db: Database, user: User) -> None:
    """Where one is, one step, and the way on."""
    work.warm_up(db)  # while the first caption is read
    place = min(max(int(st.session_state.get(STEP, 0)), 0), len(STEPS) - 1)
    step = STEPS[place]
    st.progress((place + 1) / len(STEPS), text=f"Step {place + 1} of {len(STEPS)}: {step.title}")
    with st.container(horizontal=True, vertical_alignment="center", key="tour_ways"):
        st.button(
            "Back",
            icon=":material/arrow_back:",
            key="tour-back",
            disabled=place == 0,
            on_click=_go,
            args=(place - 1, user),
        )
        if place + 1 < len(STEPS):
            st.button(
                "Next",
                icon=":material/arrow_forward:",
                key="tour-next",
                type="primary",
                on_click=_go,
                args=(place + 1, user),
            )
        else:
            st.button("Start over", icon=":material/restart_alt:", key="tour-next", on_click=_go, args=(0, user))
        _try_it(step, user)
    with st.container(key=f"tour-step-{place + 1}"):  # of its own: nothing of the former step stays on the screen
        st.markdown(step.caption)
        step.show(db, user)


def _try_it(step: Step, user: User) -> None:
    """The page where the same is done with one's own images; Analyze where the other is not open to this user."""
    allowed = step.page == chrome.ANALYZE or user.role in (Role.RESEARCHER, Role.ADMIN)
    page, label = (step.page, step.link) if allowed else (chrome.ANALYZE, "Try it yourself: Analyze")
    st.page_link(page, label=label, icon=":material/open_in_new:")


def _go(place: int, user: User) -> None:
    stop_all(user)
    st.session_state[STEP] = place
