"""What can be done with a run: stop, end it early, resume, train longer, move it in the queue, delete it."""

from functools import partial

import streamlit as st

from core import jobs
from core.db.records import User
from core.jobs import Run
from core.jobs.submission import MAX_PRIORITY
from core.labels import Role
from core.training.run_folder import State
from pages.ui import confirm, errors, training_places
from pages.ui import training_words as words


def show(run: Run, user: User) -> None:
    """The buttons that make sense in the state of the run."""
    state = run.status.state
    with st.container(horizontal=True, key="run_actions"):
        if state is State.QUEUED:
            _queue(run, user)
        elif not state.ended:
            _stop(run, user)
        elif run.can_resume:
            if st.button("Resume", icon=":material/play_arrow:", type="primary", key="resume_run"):
                _resume(run, user, 0)
        elif _in_epochs(run):
            _longer(run, user)
        if state.ended and st.button("Delete", icon=":material/delete:", key="delete_run"):
            _ask(run, user)


def _in_epochs(run: Run) -> bool:
    return run.status.unit == "epoch"


def _stop(run: Run, user: User) -> None:
    study = not _in_epochs(run)
    if st.button(
        "Stop",
        icon=":material/stop:",
        key="stop_run",
        disabled=run.stopping,
        help="Within five seconds; finished epochs and the best weights are kept, and it can be resumed."
        if not study
        else "Within five seconds; the parts that are done are kept, and it can be resumed.",
    ):
        with errors.shown(stop=False):
            jobs.stop(user, run.id)
        st.rerun()
    if (run.status.epoch if study else run.status.best_epoch) and st.button(
        "Finish now",
        icon=":material/flag:",
        key="finish_run",
        disabled=run.stopping,
        help="Compares what is done so far." if study else "Ends the training and judges the best weights so far.",
    ):
        with errors.shown(stop=False):
            jobs.stop(user, run.id, finish=True)
        st.rerun()


def _queue(run: Run, user: User) -> None:
    if st.button("Take out of the queue", icon=":material/stop:", key="stop_run"):
        with errors.shown(stop=False):
            jobs.stop(user, run.id)
        st.rerun()
    highest = MAX_PRIORITY if user.role is Role.ADMIN else 0
    for title, icon, change in (("Sooner", "arrow_upward", 1), ("Later", "arrow_downward", -1)):
        if st.button(
            title,
            icon=f":material/{icon}:",
            key=f"priority{change:+d}",
            disabled=not -MAX_PRIORITY <= run.priority + change <= highest,
            help=f"Priority {run.priority}; higher ones start first.",
        ):
            with errors.shown(stop=False):
                jobs.set_priority(user, run.id, run.priority + change)
            st.rerun()


def _longer(run: Run, user: User) -> None:
    with st.popover("Train longer", icon=":material/more_time:", key="longer"):
        epochs = st.number_input("More epochs", 1, 10_000, max(1, run.status.epochs // 4), key="more_epochs")
        if st.button("Go on", icon=":material/play_arrow:", type="primary", key="resume_longer"):
            _resume(run, user, int(epochs))


def _resume(run: Run, user: User, epochs: int) -> None:
    with errors.shown(stop=False):
        jobs.resume(user, run.id, extra_epochs=epochs)
        st.rerun()


def _ask(run: Run, user: User) -> None:
    confirm.ask_to_delete(
        "Delete this run?",
        f"**{words.plain(run.name)}**: its weights, curves, pictures and log are removed for good.",
        "Weights of it that the workbench uses stay in use: they were copied.",
        key="run",
        delete=partial(_delete, run.id, user),
    )


def _delete(run_id: str, user: User) -> None:
    with errors.shown(stop=False):
        jobs.delete(user, run_id)
        training_places.open_runs([])
