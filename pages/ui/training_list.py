"""The runs: one line each with state, best metric, progress, time left; tick two or more to compare them."""

from collections.abc import Sequence

import streamlit as st

from core import jobs
from core.db.records import User
from core.jobs import Run, StoredData
from core.labels import Role
from core.training.run_folder import State
from pages.ui import errors, times, training_places
from pages.ui import training_words as words

SHOWN = 20
REFRESH_S = 2.0


def show(user: User) -> None:
    """Draw the list anew every two seconds while a run of it is alive."""
    with errors.shown():
        runs = jobs.list_runs(user)
    if not runs:
        st.markdown("No runs yet. Choose images and a recipe on New run; without images, take a simulated example.")
        new = training_places.NEW
        st.button(new, icon=":material/add:", key="to_new", on_click=training_places.go, args=(new,))
        return
    alive = any(not run.status.state.ended for run in runs)
    st.fragment(_lines, run_every=REFRESH_S if alive else None)(user)


def _lines(user: User) -> None:
    with errors.shown():
        runs = jobs.list_runs(user)
    _above(runs)
    page = min(int(st.session_state.get("runs_page", 1)), -(-len(runs) // SHOWN))
    for run in runs[(page - 1) * SHOWN : page * SHOWN]:
        _line(run, user)
    if len(runs) > SHOWN:
        st.pagination(-(-len(runs) // SHOWN), key="runs_page")


def _above(runs: Sequence[Run]) -> None:
    chosen = [run.id for run in runs if st.session_state.get(_pick(run.id))]
    waiting = sum(run.status.state is State.QUEUED for run in runs)
    with st.container(horizontal=True, vertical_alignment="center", key="runs_actions"):
        parts = [f"{len(runs)} run{'s' if len(runs) != 1 else ''}"]
        parts += [f"{waiting} waiting"] if waiting else []
        parts += [f"{len(chosen)} selected"] if chosen else []
        st.markdown(", ".join(parts), width="content")
        if st.button(
            "Compare",
            icon=":material/compare_arrows:",
            key="compare_runs",
            disabled=len(chosen) < 2,
            help="Select two or more runs",
        ):
            training_places.open_runs(chosen)
            st.rerun()


def _line(run: Run, user: User) -> None:
    status = run.status
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium", key=f"run-{run.id}"):
        st.checkbox(f"Select {run.name}", key=_pick(run.id), label_visibility="collapsed", width="content")
        with st.container(width=112):
            badge(run)
        with st.container(gap="xxsmall", width=300):
            st.markdown(f"**{words.plain(run.name)}**")
            st.caption(details(run, user))
        with st.container(gap="xxsmall", width="stretch"):
            if status.state.ended:
                st.markdown(words.best(status) or words.progress(status))
                st.caption(words.progress(status) if words.best(status) else words.plain(status.message.split(". ")[0]))
            elif status.state is State.QUEUED:
                st.markdown(place(run))
            else:
                st.progress(words.share_done(status), text=words.progress(status))
                st.caption(words.best(status) or status.state.value)
        if st.button("Open", key=f"open-{run.id}", icon=":material/open_in_new:"):
            training_places.open_run(run.id)
            st.rerun()


def badge(run: Run) -> None:
    """The state of a run in word, icon and colour."""
    icon, colour = words.STATES[run.status.state]
    st.badge(run.status.state.value, icon=icon, color=colour)


def details(run: Run, user: User) -> str:
    """ "SimpleCNN · 21 Nov 2026, 20:49", for administrators with the owner."""
    parts = [words.RECIPES[run.recipe].title, times.local(run.created)]
    return " · ".join([*parts, *owner(run, user)])


def owner(thing: Run | StoredData, user: User) -> list[str]:
    """For administrators, whose it is where it is not their own."""
    others = user.role is Role.ADMIN and thing.owner_id != user.id
    return [f"of {words.plain(thing.owner)}"] if others else []


def place(run: Run) -> str:
    """Where a run stands in the queue."""
    if run.place is None:
        return "Waiting for its turn"
    return "Next in the queue" if run.place <= 1 else f"Place {run.place} in the queue"


def _pick(run_id: str) -> str:
    return f"pick_run-{run_id}"
