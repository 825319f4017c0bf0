"""The tab New run: data, recipe, settings, estimate, Start."""

import streamlit as st

from core import jobs
from core.db.engine import Database
from core.db.records import User
from core.training.config import TrainConfig
from core.types import Progress
from pages.ui import (
    errors,
    training_data,
    training_places,
    training_recipes,
    training_report,
    training_settings,
    training_work,
)
from pages.ui import training_words as words
from pages.ui.training_data import Source

ESTIMATE = "estimate"


def show(db: Database, user: User) -> None:
    """The three steps, each open to changes until the start."""
    st.subheader("1 · Data", icon=":material/photo_library:")
    source = training_data.choose(db, user)
    data = training_report.show(user, source.place, key="new") if source is not None else None
    st.subheader("2 · Recipe", icon=":material/account_tree:")
    recipe = training_recipes.choose(data)
    if source is None or data is None or recipe is None:
        st.caption("Choose images first; then the recipes that fit them can be chosen.")
        return
    st.subheader("3 · Settings", icon=":material/tune:")
    title = f"{words.RECIPES[recipe].title} on {source.title}"
    name, config = training_settings.show(recipe, title[:80])
    if config is not None:
        _start(user, source, name, config)


def _start(user: User, source: Source, name: str, config: TrainConfig) -> None:
    with st.container(horizontal=True, key="start_actions"):
        start = st.button("Start", icon=":material/play_arrow:", type="primary", key="start_run")
        asked = st.button(
            "Estimate the time", icon=":material/timer:", key="estimate", help="Measures a few steps on this machine."
        )
    _estimate(user, source, config, asked=asked)
    if start:
        with errors.shown(stop=False):
            with st.spinner("Checking the images and starting..."):
                run = jobs.submit(user, name=name, data=source.place, config=config)
            training_work.forget(ESTIMATE)
            st.session_state.pop("run_name", None)
            training_places.open_run(run.id)
            st.rerun()


def _estimate(user: User, source: Source, config: TrainConfig, *, asked: bool) -> None:
    """Time from a few measured steps; it is of these images and settings only."""
    of = (source.place, config)
    if asked:

        def measure(progress: Progress) -> jobs.Estimate:
            return jobs.estimate(user, source.place, config, progress=progress)

        training_work.start(ESTIMATE, "Measuring a few steps", measure)
        st.session_state["estimate_of"] = of
    if training_work.find(ESTIMATE) is None:
        return
    if st.session_state.get("estimate_of") != of:
        st.caption("The images or settings were changed after the estimate.")
        return
    found: jobs.Estimate | None = training_work.once(ESTIMATE, "", lambda _: None)
    if found is not None:
        most = "At most about" if config.early_stop or config.max_minutes else "About"
        each = f"{found.steps:,} batches of {found.seconds_per_step:.2g} s in each of {found.epochs:,} {found.unit}s"
        each += " and the generators before them" if found.unit == "classifier" else ""
        shared = " Other runs train here now; alone it is faster." if found.shared else ""
        st.markdown(f":material/timer: {most} **{words.duration(found.total_s)}**: {each}.{shared}")
