"""Everybody's trainings: what runs, what waits, and the button that stops one."""

import streamlit as st

from core import jobs
from core.db.engine import Database
from core.db.records import User
from core.jobs import Run
from pages.ui import errors, times
from pages.ui import training_words as words

SHOWN = 50


def show(_db: Database, actor: User) -> None:
    """Those that are not done with their buttons; the others as a table."""
    with errors.shown():
        runs = jobs.list_runs(actor)
    unfinished = [run for run in runs if not run.status.state.ended]
    if not unfinished:
        st.caption("Nothing trains and nothing waits.")
    for run in sorted(unfinished, key=lambda run: (run.place or 0, run.created)):
        _row(run, actor)
    ended = [run for run in runs if run.status.state.ended][:SHOWN]
    if ended:
        _table(ended)


def _row(run: Run, actor: User) -> None:
    with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"job-{run.id}"):
        icon, colour = words.STATES[run.status.state]
        st.badge(run.status.state.value, icon=icon, color=colour)
        place = f"place {run.place} in the queue" if run.place else run.device
        st.markdown(f"**{words.plain(run.name)}** of {words.plain(run.owner)} · {run.recipe.value} · {place}")
        st.caption(words.progress(run.status))
        if st.button("Stop", icon=":material/stop:", key=f"stop_job-{run.id}", disabled=run.stopping):
            with errors.shown():
                jobs.stop(actor, run.id)
            st.rerun()


def _table(runs: list[Run]) -> None:
    st.dataframe(
        {
            "Made": [times.local(run.created) for run in runs],
            "Who": [run.owner for run in runs],
            "Name": [run.name for run in runs],
            "Recipe": [run.recipe.value for run in runs],
            "State": [run.status.state.value for run in runs],
            "Epochs": [f"{run.status.epoch} of {run.status.epochs}" for run in runs],
            "What it said last": [run.status.message for run in runs],
        },
        hide_index=True,
        key="jobs_table",
    )
